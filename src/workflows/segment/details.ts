import type { ActivationProgress } from '../../contracts/activation.js';

const number = new Intl.NumberFormat('en-US');

/** A run of a segment as Markdown, for the Web UI. Pure. */
export function describeActivation({ state, found, migrationId, why }: ActivationProgress): string {
  const lines = [`### ${state.replaceAll('_', ' ')}`];
  if (state === 'braked') {
    lines.push(
      '',
      `**Waits for an answer:** ${why ?? ''}`,
      '',
      'Approve or reject it with the CLI (`consentry program approve`, `consentry program reject`) or with the ' +
        'signals `approve` and `reject`.',
    );
  } else if (why !== null) lines.push('', why);
  if (found !== null) {
    const rows: readonly (readonly [string, number])[] = [
      ['in the source', found.people],
      ['in the segment before', found.before],
      ['enter', found.entering],
      ['leave', found.leaving],
      ['are missing, not for long enough', found.missing],
      ['are missing since the segment began anew, and stay', found.kept],
      ['have another address or number', found.changed],
      ['are tried again', found.triedAgain],
    ];
    lines.push(
      '',
      '| people | |',
      '|---|---:|',
      ...rows.map(([what, people]) => `| ${what} | ${number.format(people)} |`),
    );
    if (found.isBaseline) lines.push('', 'The segment begins anew: nobody leaves in this run.');
  }
  if (migrationId !== null) lines.push('', `Migration \`${migrationId}\``);
  return lines.join('\n');
}
