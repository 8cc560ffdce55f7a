import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { openSource } from '../../src/importers/open-source.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { inShort, OPTIONS, withFile } from '../support/sources.js';

/** Long enough that a reading of it can be met in the middle. */
const ROWS = 9_000;

/** Everybody is unsubscribed; read by the columns of the other, everybody would be subscribed. */
const version = (columns: string, row: (email: string) => string) =>
  [columns, ...Array.from({ length: ROWS }, (_, n) => row(`person-${n}@example.com`))].join('\n');
const FIRST = version('email,email_consent,was', (email) => `${email},unsubscribed,yes`);
const SECOND = version('email,was,email_consent', (email) => `${email},yes,unsubscribed`);
const json = (text: string) => {
  const [columns = [], ...rows] = text.split('\n').map((line) => line.split(','));
  return rows
    .map((row) => JSON.stringify(Object.fromEntries(columns.map((key, n) => [key, row[n]]))))
    .join('\n');
};

const FORMATS = {
  csv: (text: string) => Buffer.from(text),
  gzip: (text: string) => gzipSync(text),
  json: (text: string) => Buffer.from(json(text)),
} as const;

const CHANGES: Record<string, (file: string, second: Buffer) => void> = {
  'put in its place': (file, second) => {
    writeFileSync(`${file}.new`, second);
    renameSync(`${file}.new`, file);
  },
  'written over it': (file, second) => writeFileSync(file, second),
  'written over it, a line lower': (file, second) =>
    writeFileSync(file, Buffer.concat([Buffer.from('\n'), second])),
  'cut short': (file) => truncateSync(file, 5_000),
  longer: (file) => appendFileSync(file, '\nlate@example.com,yes,yes'),
};

/** Opens the source, hashes it and reads its rows; `at` is told of every step. */
async function readThrough(file: string, at: (step: number) => void) {
  let step = 0;
  const next = () => at((step += 1));
  const source = await openSource(file, { ...OPTIONS, undated: 'subscribe' });
  try {
    next();
    const sha256 = await source.sha256();
    next();
    const parts: string[] = [];
    for await (const batch of source.intents) {
      parts.push(...batch.flatMap(inShort));
      next();
    }
    return { sha256, parts };
  } finally {
    await source.close();
  }
}

describe('a file that is changed while it is read', () => {
  it('is read as it was, or not at all', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(FORMATS) as (keyof typeof FORMATS)[])),
        fc.constantFrom(...Object.keys(CHANGES)),
        fc.integer({ min: 1, max: 14 }),
        (format, change, moment) =>
          withFile(FORMATS[format](FIRST), async (file) => {
            const second = FORMATS[format](SECOND);
            try {
              const { parts } = await readThrough(file, (step) => {
                if (step === moment) CHANGES[change]?.(file, second);
              });
              assert.equal(parts.length, ROWS);
              assert.deepEqual([...new Set(parts)], ['email unsubscribe']);
            } catch (error) {
              if (!(error instanceof SourceError)) throw error;
              assert.match(
                error.code,
                /^(source_changed|gzip_broken|json_nested|encoding_not_utf8)$/,
              );
            }
          }),
      ),
      { numRuns: 20 },
    ));

  for (const [change, moment] of [
    ['written over it', 1],
    ['written over it', 3],
    ['written over it, a line lower', 1],
    ['cut short', 1],
    ['cut short', 2],
    ['cut short', 4],
    ['longer', 1],
    ['longer', 2],
  ] as const) {
    it(`stops the import: ${change}, at step ${moment}`, async () => {
      await withFile(FORMATS.csv(FIRST), async (file) => {
        const reading = readThrough(file, (step) => {
          if (step === moment) CHANGES[change]?.(file, FORMATS.csv(SECOND));
        });
        await assert.rejects(reading, { code: 'source_changed', file });
      });
    });
  }

  it('may be put away meanwhile', async () => {
    await withFile(FORMATS.csv(FIRST), async (file) => {
      const { parts } = await readThrough(file, (step) => {
        if (step === 1) CHANGES['put in its place']?.(file, FORMATS.csv(SECOND));
      });
      assert.deepEqual([...new Set(parts)], ['email unsubscribe']);
    });
  });
});

describe('a source that is no plain file', () => {
  const skip = process.platform === 'win32';

  it('may come through a pipe, which can be read once', { skip }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consentry-pipe-'));
    try {
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const writing = writeFile(pipe, FIRST);
      const { parts } = await readThrough(pipe, () => undefined);
      await writing;
      assert.deepEqual([parts.length, ...new Set(parts)], [ROWS, 'email unsubscribe']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is refused where it is a device, which has no end', { skip }, async () => {
    await assert.rejects(openSource('/dev/zero', OPTIONS), {
      code: 'file_unreadable',
      message: /This is a device, not a file/,
    });
  });
});

describe('the hash of a source', () => {
  const of = (content: string) =>
    withFile(content, async (file) => {
      const source = await openSource(file, OPTIONS);
      try {
        return await source.sha256();
      } finally {
        await source.close();
      }
    });

  it('is that of the bytes of a file', async () => {
    const one = 'email,email_consent\na@example.com,unsubscribed\n';
    assert.equal(await of(one), 'af38ad1a8707226c30cab9e34dd0626be0d110267ea6b7fa2f7b391133c1ede6');
    assert.notEqual(await of(one), await of(`${one}\n`));
  });
});
