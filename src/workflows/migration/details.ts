import { OUTCOMES } from '../../contracts/outcomes.js';
import type { Plan, Progress } from '../../contracts/migration.js';

const number = new Intl.NumberFormat('en-US');

/** The progress of a migration as Markdown, for the Web UI. Pure. */
export function renderDetails(progress: Progress, plan: Plan | null): string {
  const settled = Object.values(progress.outcomes).reduce((sum, rows) => sum + rows, 0);
  const lines = [
    `### ${heading(progress)}`,
    '',
    `${number.format(settled)} of ${number.format(progress.rows)} rows have an outcome, ` +
      `${number.format(progress.accepted)} accepted by Klaviyo. ` +
      `Jobs: ${progress.jobs.settled} of ${progress.jobs.total} settled, ` +
      `${progress.jobs.submitted} submitted.`,
    '',
    '| outcome | rows |',
    '|---|---:|',
    ...OUTCOMES.filter((outcome) => (progress.outcomes[outcome] ?? 0) > 0).map(
      (outcome) => `| ${outcome} | ${number.format(progress.outcomes[outcome] ?? 0)} |`,
    ),
    `| still open | ${number.format(progress.rows - settled)} |`,
  ];
  if (plan !== null && plan.doubleOptInMessages > 0) {
    lines.push('', `Klaviyo asks for up to ${number.format(plan.doubleOptInMessages)} clicks.`);
  }
  // Plans of earlier versions do not say.
  const { askedAlready = 0 }: Partial<Plan> = plan ?? {};
  if (askedAlready > 0) {
    lines.push(
      '',
      `${number.format(askedAlready)} were asked already, and are not asked again yet.`,
    );
  }
  if (progress.held !== null) {
    lines.push('', `**Waits for a key that works, and then goes on by itself:** ${progress.held}`);
  }
  for (const warning of progress.warnings) lines.push('', `> ${warning}`);
  if (progress.failure !== null) lines.push('', `**Stopped:** ${progress.failure}`);
  return lines.join('\n');
}

function heading(progress: Progress): string {
  if (progress.held !== null) return `${progress.phase} (held)`;
  return progress.paused ? `${progress.phase} (paused)` : progress.phase;
}
