import { bareText } from '../../contracts/addresses.js';

/** With it exports tell a spreadsheet that a cell is text. */
const TEXT_MARK = "'";

/** The value of a cell without what stands around it. */
export function cellText(raw: string): string {
  let text = bareText(raw);
  while (text.startsWith(TEXT_MARK)) text = bareText(text.slice(1));
  return text;
}
