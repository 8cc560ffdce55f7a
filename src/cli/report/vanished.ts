import type { VanishedRow } from '../../importers/index.js';
import { writeRowsCsv, type Row } from './part-rows.js';
import { writePrivateFile } from './private-file.js';

const COLUMNS = ['line', 'email', 'phone_number', 'said'] as const;

export function vanishedPath(source: string): string {
  return `${source}.vanished.csv`;
}

/**
 * Writes the rows of the older export with an address or a number that the newer one does not have, and
 * what they said. Only the owner may read the file.
 *
 * @returns the path; null, and writes no file, if there is no such row
 * @throws UsageError if the file cannot be written
 */
export async function writeVanished(
  rows: AsyncIterable<VanishedRow>,
  path: string,
): Promise<string | null> {
  const reading = rows[Symbol.asyncIterator]();
  const first = await reading.next();
  if (first.done === true) return null;
  const lines = written(first.value, { [Symbol.asyncIterator]: () => reading });
  await writePrivateFile(path, (file) => writeRowsCsv(lines, COLUMNS, file, true));
  return path;
}

async function* written(
  first: VanishedRow,
  others: AsyncIterable<VanishedRow>,
): AsyncGenerator<Row> {
  yield vanishedRow(first);
  for await (const row of others) yield vanishedRow(row);
}

function vanishedRow({ line, email, phoneNumber, parts }: VanishedRow): Row {
  const said = parts.map(({ channel, operation, consentedAt, rejected }) =>
    [channel, operation, consentedAt, rejected && `refused: ${rejected}`]
      .filter((word) => word !== null)
      .join(' '),
  );
  return { line, email, phone_number: phoneNumber, said: said.join('; ') };
}
