import type { WatchProgress } from '../../../contracts/migration.js';
import { OUTCOMES } from '../../../contracts/outcomes.js';
import type { ReportedPart } from '../../../ledger/index.js';
import type { Report } from '../../../starter/migrations/report.js';
import { shownEmail } from '../part-rows.js';
import { readsWords } from '../../render/report.js';
import { count, counted, duration, percent } from '../../render/quantities.js';
import { clock, label } from './chart.js';
import { html, type Markup } from './markup.js';

/** All rows, rows by outcome and open rows. */
export function outcomeTiles({ outcomes, rows, open }: Report): Markup {
  const tiles = OUTCOMES.flatMap((outcome) => {
    const of = outcomes[outcome] ?? 0;
    return of === 0 ? [] : [tile(`--of:var(--${outcome})`, outcome, of, rows)];
  });
  if (open > 0) tiles.push(tile('--of:var(--open)', 'still open', open, rows));
  return html`<ul class="tiles">
    <li><b>${count(rows)}</b>all rows</li>
    ${tiles}
  </ul>`;
}

function tile(style: string, name: string, of: number, rows: number): Markup {
  return html`<li style="${style}">
    <b>${count(of)}</b>${name}<br /><span class="quiet">${percent(of, rows)}</span>
  </li>`;
}

export function partsTable({ parts }: Report): Markup {
  if (parts.length === 0) return html`<p>Nothing has an outcome yet.</p>`;
  const lines = parts.map(
    ({ channel, outcome, reason, parts: of }) =>
      html`<tr>
        <th scope="row">${channel}</th>
        <td>${label(outcome)}</td>
        <td>${reason}</td>
        <td class="number">${count(of)}</td>
      </tr>`,
  );
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>channel</th>
          <th>outcome</th>
          <th>reason</th>
          <th class="number">rows</th>
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div>`;
}

export function callsTable({ calls, reads }: Report): Markup {
  if (calls.length === 0) return html`<p>No calls to Klaviyo yet.</p>`;
  const lines = calls.map(
    ({ endpoint, status, calls: of, durationMs }) =>
      html`<tr>
        <th scope="row">${endpoint}</th>
        <td>${status === 'none' ? 'no answer' : status}</td>
        <td class="number">${count(of)}</td>
        <td class="number">${duration(durationMs / of)}</td>
      </tr>`,
  );
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            <th>endpoint</th>
            <th>status</th>
            <th class="number">calls</th>
            <th class="number">mean time</th>
          </tr>
        </thead>
        <tbody>
          ${lines}
        </tbody>
      </table>
    </div>
    <p class="quiet">${readsWords(reads)}</p>`;
}

/** Why it stopped, the preflight's warnings, and what is not settled. */
export function notices(report: Report, watch: WatchProgress | null): Markup[] {
  const { failure, warnings } = report;
  return [
    ...(failure === null ? [] : [html`<p class="notice stop"><b>Stopped:</b> ${failure}</p>`]),
    ...warnings.map((warning) => html`<p class="notice"><b>Warning:</b> ${warning}</p>`),
    ...openWords(report, watch).map((words) => html`<p class="notice">${words}</p>`),
  ];
}

/** What is still open, and until when it is followed. */
export function openWords({ open, outcomes }: Report, watch: WatchProgress | null): string[] {
  const words: string[] = [];
  if (open > 0) words.push(`${counted(open, 'row has', 'rows have')} no outcome yet.`);
  const pending = outcomes.pending_double_opt_in ?? 0;
  if (pending > 0) {
    const waits = `${counted(pending, 'row waits', 'rows wait')} for a click on a double opt-in message`;
    words.push(
      watch === null
        ? `${waits}; nobody follows them at the moment.`
        : `${waits}; they are followed until ${clock(new Date(watch.until))} UTC, and ${counted(watch.confirmed, 'row was', 'rows were')} confirmed since the run ended.`,
    );
  }
  return words;
}

export function settingsTable(report: Report): Markup {
  const { settings, source, share, retryOf, program, accountId } = report;
  const entries: readonly (readonly [string, string | null])[] = [
    ['account', accountId],
    ['program', program],
    ['source', `${source.name} (${source.preset})`],
    ['SHA-256 of the source', source.sha256],
    ['list', settings.listId],
    ['list that people are moved from', settings.moveFrom],
    ['channels', settings.channels.join(', ')],
    ['expected opt-in process', settings.expectedOptIn],
    ['historical import', settings.historicalImport ? 'yes: consent dates were sent' : 'no'],
    ['consent', settings.consent],
    ['countries with a sender, as declared', settings.smsCountries?.join(', ') ?? null],
    ['custom source', settings.customSource],
    ['rows sent first', settings.canaryRows === null ? null : count(settings.canaryRows)],
    ['share of the account’s limits', percent(share, 1)],
    ['retry of', retryOf],
  ];
  const lines = entries.flatMap(([name, value]) =>
    value === null
      ? []
      : [
          html`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr>`,
        ],
  );
  return html`<div class="scroll">
    <table>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div>`;
}

/** The first refused and unconfirmed rows, as in the source. */
export function problemsTable(problems: readonly ReportedPart[], all: number): Markup {
  if (problems.length === 0) return html`<p>None: no row was refused or left unconfirmed.</p>`;
  const lines = problems.map(
    ({ line, erased, email, phoneNumber, channel, outcome, reason }) =>
      html`<tr>
        <td class="number">${erased ? null : line}</td>
        <td>${shownEmail({ erased, email }) ?? phoneNumber}</td>
        <td>${channel}</td>
        <td>${outcome === null ? null : label(outcome)}</td>
        <td>${reason}</td>
      </tr>`,
  );
  const shown =
    problems.length < all
      ? `The first ${count(problems.length)} of ${count(all)}; report --csv has them all.`
      : counted(all, 'channel of a row', 'channels of rows');
  return html`<details>
    <summary>${shown}</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th class="number">line</th>
            <th>person</th>
            <th>channel</th>
            <th>outcome</th>
            <th>reason</th>
          </tr>
        </thead>
        <tbody>
          ${lines}
        </tbody>
      </table>
    </div>
  </details>`;
}
