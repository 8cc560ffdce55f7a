const QUOTE = 0x22;
const FEED = 0x0a;
const RETURN = 0x0d;

/**
 * Whether a field of a record that is in quotes goes on after its closing quote, as in `"a" b`.
 *
 * @param record the bytes of one CSV record, with or without its line end
 * @param delimiter one character of ASCII
 */
export function hasTextAfterClosingQuote(record: Buffer, delimiter: string): boolean {
  const separator = delimiter.charCodeAt(0);
  let at = 0;
  while (at < record.length) {
    if (record[at] === QUOTE) {
      at = afterClosingQuote(record, at);
      if (at === record.length || isLineEnd(record, at)) return false;
      if (record[at] !== separator) return true;
    } else {
      at = record.indexOf(separator, at);
      if (at === -1) return false;
    }
    at += 1;
  }
  return false;
}

/** Index after the quote that closes the field which opens at `at`; the length if there is none. */
function afterClosingQuote(record: Buffer, at: number): number {
  let quote = record.indexOf(QUOTE, at + 1);
  while (quote !== -1 && record[quote + 1] === QUOTE) quote = record.indexOf(QUOTE, quote + 2);
  return quote === -1 ? record.length : quote + 1;
}

function isLineEnd(record: Buffer, at: number): boolean {
  return record[at] === FEED || (record[at] === RETURN && record[at + 1] === FEED);
}
