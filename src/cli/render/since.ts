import type { Changes } from '../../importers/index.js';
import { count, counted } from './quantities.js';

/** What changed since the older export, in `--json` under `since`. The keys are stable. */
export interface Since extends Changes {
  /** File with the people who vanished; null if nobody did. */
  readonly file: string | null;
}

export function sinceWords(
  { rows, changed, unchanged, vanished, file }: Since,
  older: string,
): string {
  const compared =
    `${counted(rows, 'row')} read and compared with ${older}: ${count(changed)} new or changed, ` +
    `${count(unchanged)} left out because nothing about their people changed.`;
  if (file === null) return compared;
  const people =
    vanished === 1
      ? '1 person of it is missing now and is'
      : `${count(vanished)} people of it are missing now and are`;
  return `${compared}\n${people} not opted out: ${file}`;
}
