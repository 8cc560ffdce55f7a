import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Intent } from '../../src/contracts/intents.js';
import type { ImportedSource } from '../../src/importers/imported-source.js';
import { openSource } from '../../src/importers/open-source.js';
import type { ImportOptions } from '../../src/importers/options.js';

export const NOW = new Date('2026-01-01T00:00:00Z');

/** Columns of the generic layout, as most sources have them. */
export const GENERIC_COLUMNS = [
  'email',
  'phone_number',
  'email_consent',
  'email_consented_at',
  'sms_consent',
  'suppressed',
] as const;

export const OPTIONS: ImportOptions = {
  channels: ['email'],
  country: null,
  timezone: 'UTC',
  undated: 'reject',
  preset: null,
  now: NOW,
};

/** Calls `use` with the path of a file that holds `content`, and removes it afterwards. */
export async function withFile<T>(
  content: string | Buffer,
  use: (file: string) => Promise<T>,
  name = 'export.csv',
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'consentry-import-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, content);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function intentsOf(
  content: string | Buffer,
  options: Partial<ImportOptions> = {},
  name?: string,
): Promise<Intent[]> {
  return withFile(
    content,
    async (file) => {
      const source = await openSource(file, { ...OPTIONS, ...options });
      try {
        return await intentsOfSource(source);
      } finally {
        await source.close();
      }
    },
    name,
  );
}

export async function intentsOfSource(source: ImportedSource): Promise<Intent[]> {
  const all: Intent[] = [];
  for await (const batch of source.intents) all.push(...batch);
  return all;
}

/** The only row of a source with one. */
export async function intentOf(
  content: string,
  options: Partial<ImportOptions> = {},
): Promise<Intent> {
  const [intent, ...others] = await intentsOf(content, options);
  if (intent === undefined || others.length > 0) throw new Error('the source has not one row');
  return intent;
}

/** The parts of an intent in short: `email subscribe 2021-03-04T12:00:00Z`, `sms phone_missing`. */
export function inShort(intent: Intent): string[] {
  return intent.parts.map(({ channel, operation, consentedAt, rejected, note }) =>
    [channel, rejected ?? operation, consentedAt, note].filter((word) => word !== null).join(' '),
  );
}
