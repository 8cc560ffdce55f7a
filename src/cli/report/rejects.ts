import type { Encoding } from '../../connectors/files/encodings.js';
import {
  optOutsFirst,
  originalLines,
  SourceError,
  type OriginalLine,
} from '../../importers/index.js';
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
/** Of an archive of several files, `line` is the line within the file. */
const COLUMNS_OF_ARCHIVE = ['file', ...COLUMNS] as const;

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
    source === null
      ? []
      : originalLines(source.path, lines, source.sha256, {
          encoding: source.encoding ?? null,
          order: optOutsFirst,
        }),
  );
  try {
    const isArchive = await originals.areOfArchive();
    await writePrivateFile(path, (file) =>
      writeRowsCsv(
        withOriginals(refused(pages()), originals),
        isArchive ? COLUMNS_OF_ARCHIVE : COLUMNS,
        file,
        true,
      ),
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
    const found = await originals.of(part.line);
    const place = found?.within ?? null;
    yield {
      ...partRow(part),
      ...(place === null ? {} : { file: place.name, line: place.line }),
      original: found?.text ?? null,
    };
  }
}

/** Lines of the source, read in order. */
class Originals {
  /** Why they are missing: the file was moved or changed since the import. */
  failure: string | null = null;
  readonly #lines: AsyncIterator<OriginalLine> | Iterator<OriginalLine>;
  #current: OriginalLine | null = null;
  #isAtEnd = false;

  constructor(lines: AsyncIterable<OriginalLine> | Iterable<OriginalLine>) {
    this.#lines =
      Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]();
  }

  /** Whether lines are named by their file as well. Call it first. */
  async areOfArchive(): Promise<boolean> {
    await this.#readOn();
    return (this.#current?.within ?? null) !== null;
  }

  async of(line: number): Promise<OriginalLine | null> {
    while (!this.#isAtEnd && (this.#current?.line ?? 0) < line) await this.#readOn();
    return this.#current?.line === line ? this.#current : null;
  }

  async #readOn(): Promise<void> {
    try {
      const next = await this.#lines.next();
      if (next.done === true) this.#isAtEnd = true;
      else this.#current = next.value;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.failure = error.message;
      this.#isAtEnd = true;
    }
  }

  /** Lines after the last one that was asked for are never read, so the file is still open. */
  async close(): Promise<void> {
    await this.#lines.return?.();
  }
}
