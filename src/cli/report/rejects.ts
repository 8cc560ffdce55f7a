import type { Encoding } from '../../connectors/files/encodings.js';
import { originalLines, SourceError, type OriginalLine } from '../../importers/index.js';
import type { ReportedPart } from '../../ledger/index.js';
import { eachPart, partRow, writeRowsCsv, type Row } from './part-rows.js';
import { writePrivateFile } from './private-file.js';

export interface Rejects {
  readonly path: string;
  readonly rows: number;
  /** Why the lines of the source are missing; null if they are there, and for a query. */
  readonly withoutOriginals: string | null;
}

/** The file that refused rows came from. */
interface RejectsSource {
  readonly path: string;
  /** At import. */
  readonly sha256: string;
  /** As the run was given it; null or absent if it was found. */
  readonly encoding?: Encoding | null;
}

const COLUMNS = ['line', 'email', 'phone_number', 'channel', 'reason', 'original'] as const;

/** Default of `--rejects`. */
export function rejectsPath(source: string): string {
  return `${source}.rejects.csv`;
}

/**
 * Writes every refused channel of every row to `path`, with the original line of the source. Only
 * the owner may read the file: it has people's addresses.
 *
 * @param pages of the report; every call starts from its beginning
 * @param source null for a query
 * @returns null, and writes no file, if nothing was refused
 * @throws UsageError if the file cannot be written
 */
export async function writeRejects(
  pages: () => AsyncIterable<readonly ReportedPart[]>,
  path: string,
  source: RejectsSource | null,
): Promise<Rejects | null> {
  const lines = new Set<number>();
  let rows = 0;
  for await (const { line } of refused(pages())) {
    lines.add(line);
    rows += 1;
  }
  if (rows === 0) return null;
  const originals = new Originals(
    source === null ? [] : originalLines(source.path, lines, source.sha256, source.encoding),
  );
  try {
    await writePrivateFile(path, (file) =>
      writeRowsCsv(withOriginals(refused(pages()), originals), COLUMNS, file, true),
    );
  } finally {
    await originals.close();
  }
  return { path, rows, withoutOriginals: originals.failure };
}

async function* refused(
  pages: AsyncIterable<readonly ReportedPart[]>,
): AsyncGenerator<ReportedPart> {
  for await (const part of eachPart(pages)) {
    if (part.outcome === 'rejected') yield part;
  }
}

async function* withOriginals(
  parts: AsyncIterable<ReportedPart>,
  originals: Originals,
): AsyncGenerator<Row> {
  for await (const part of parts) {
    yield { ...partRow(part), original: await originals.of(part.line) };
  }
}

/** Lines of the source, read in order. */
class Originals {
  /** Why they are missing: the file was moved or changed since the import. */
  failure: string | null = null;
  readonly #lines: AsyncIterator<OriginalLine> | Iterator<OriginalLine>;
  #current: OriginalLine | null = null;

  constructor(lines: AsyncIterable<OriginalLine> | Iterable<OriginalLine>) {
    this.#lines =
      Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]();
  }

  async of(line: number): Promise<string | null> {
    while (this.failure === null && (this.#current?.line ?? 0) < line) {
      try {
        const next = await this.#lines.next();
        if (next.done === true) return null;
        this.#current = next.value;
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        this.failure = error.message;
      }
    }
    return this.#current?.line === line ? this.#current.text : null;
  }

  /** Lines after the last one that was asked for are never read, so the file is still open. */
  async close(): Promise<void> {
    await this.#lines.return?.();
  }
}
