import { bareText } from '../../contracts/addresses.js';

/** Exports mark a cell as text for spreadsheets with it. */
const TEXT_MARK = "'";

/** The value of a cell without the white space and marks around it. */
export function cellText(raw: string): string {
  let text = bareText(raw);
  while (text.startsWith(TEXT_MARK)) text = bareText(text.slice(1));
  return text;
}
