import { counted } from './quantities.js';

/** What an undo costs, in a frame: it is easily overlooked, and cannot be taken back. */
export function undoWarning(people: number): string {
  const lines = [
    `THIS UNDO UNSUBSCRIBES ${counted(people, 'PERSON', 'PEOPLE')}.`,
    'Klaviyo then holds them as unsubscribed, as if they had asked for it themselves:',
    'A LATER IMPORT WILL SKIP THEM, and only they can subscribe again.',
    'Where the run only used the wrong list, consentry report ID --undo list costs nobody their consent.',
  ];
  const width = Math.max(...lines.map((line) => line.length));
  const edge = '*'.repeat(width + 4);
  return [edge, ...lines.map((line) => `* ${line.padEnd(width)} *`), edge].join('\n');
}
