import type { OutcomeCounts } from '../../../contracts/migration.js';
import { OUTCOMES, type Outcome } from '../../../contracts/outcomes.js';
import type { SettledOverTime } from '../../../ledger/index.js';
import { count, counted, duration } from '../../render/quantities.js';
import { html, type Markup } from './markup.js';

const WIDTH = 940;
const HEIGHT = 240;
const LEFT = 64;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 28;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const WIDEST_BAR = 44;
/** Makes three rows among a million still visible. */
const LEAST_HEIGHT = 2;

/** Outcomes over time as stacked bars, with a legend and the same numbers as a table. */
export function timelineChart({ bucketMs, buckets }: SettledOverTime): Markup {
  const first = buckets[0]?.at.getTime();
  const last = buckets.at(-1)?.at.getTime();
  if (first === undefined || last === undefined) return html`<p>Nothing is settled yet.</p>`;
  const slots = (last - first) / bucketMs + 1;
  const slot = PLOT_WIDTH / slots;
  const bar = Math.min(WIDEST_BAR, Math.max(slot * 0.82, 1));
  const most = niceTop(Math.max(...buckets.map(({ outcomes }) => sumOf(outcomes))));
  const used = OUTCOMES.filter((outcome) => buckets.some(({ outcomes }) => outcomes[outcome]));
  const height = (parts: number) => Math.max(LEAST_HEIGHT, (parts / most) * PLOT_HEIGHT);
  const bars = buckets.map(({ at, outcomes }) => {
    const x = LEFT + ((at.getTime() - first) / bucketMs) * slot + (slot - bar) / 2;
    let y = TOP + PLOT_HEIGHT;
    const rects = stacked(outcomes, used).map(([outcome, parts]) => {
      y -= height(parts);
      return html`<rect
        style="--of:var(--${outcome})"
        x="${round(x)}"
        y="${round(y)}"
        width="${round(bar)}"
        height="${round(height(parts))}"
        ><title>${clock(at)}: ${count(parts)} ${outcome}</title></rect
      >`;
    });
    return html`<g>${rects}</g>`;
  });
  const rules = [0, 0.5, 1].map((share) => {
    const y = TOP + PLOT_HEIGHT * (1 - share);
    return html`<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" /><text
        x="${LEFT - 8}"
        y="${y + 4}"
        text-anchor="end"
        >${count(most * share)}</text
      >`;
  });
  const from = clock(new Date(first));
  const to = clock(new Date(last + bucketMs));
  const total = buckets.reduce((sum, { outcomes }) => sum + sumOf(outcomes), 0);
  return html`<figure>
      <div class="plot">
        <svg
          viewBox="0 0 ${WIDTH} ${HEIGHT}"
          role="img"
          aria-labelledby="timeline-title timeline-desc"
        >
          <title id="timeline-title">Outcomes over time</title>
          <desc id="timeline-desc">
            Stacked bars of ${duration(bucketMs)} each:
            ${counted(total, 'settled channel of a row', 'settled channels of rows')} from ${from}
            to ${to} UTC. The table below has the numbers.
          </desc>
          ${rules} ${bars}
          <text x="${LEFT}" y="${HEIGHT - 8}">${from}</text>
          <text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${to} UTC</text>
        </svg>
      </div>
      <ul class="legend">
        ${used.map((outcome) => html`<li>${label(outcome)}</li>`)}
      </ul>
      <p class="quiet">Channels of rows settled in each ${duration(bucketMs)}.</p>
    </figure>
    <details>
      <summary>The same as a table</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>from (UTC)</th>
              ${used.map((outcome) => html`<th class="number">${outcome}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${buckets.map(
              ({ at, outcomes }) =>
                html`<tr>
                  <th scope="row">${clock(at)}</th>
                  ${used.map((outcome) => html`<td class="number">${count(outcomes[outcome] ?? 0)}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
}

/** An outcome with its colour. */
export function label(outcome: Outcome): Markup {
  return html`<span class="label"
    ><span class="dot" style="--of:var(--${outcome})"></span>${outcome}</span
  >`;
}

/** What was not achieved at the bottom, open rows on top. */
function stacked(outcomes: OutcomeCounts, used: readonly Outcome[]): [Outcome, number][] {
  return used.toReversed().flatMap((outcome): [Outcome, number][] => {
    const parts = outcomes[outcome] ?? 0;
    return parts === 0 ? [] : [[outcome, parts]];
  });
}

function sumOf(outcomes: OutcomeCounts): number {
  return Object.values(outcomes).reduce((sum, parts) => sum + parts, 0);
}

/** The next of 2, 4, 6, 8 or 10 times a power of ten, so that half of it is a whole number too. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return ([2, 4, 6, 8, 10].find((times) => times * power >= value) ?? 10) * power;
}

function round(value: number): string {
  return value.toFixed(2);
}

/** `2026-01-02 03:04:05` */
export function clock(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ');
}
