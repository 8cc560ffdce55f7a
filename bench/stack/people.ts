import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** The address of the n-th of them. */
export const addressOf = (n: number): string => `p${n}@shop.example`;

/** How an export in the generic layout is read. */
export const HOW_TO_READ = {
  channels: ['email'],
  country: null,
  timezone: 'UTC',
  undated: 'subscribe',
  preset: null,
  now: new Date(),
} as const;

/** Writes an export of people who consented to e-mail, in the generic layout. */
export async function writePeople(path: string, rows: number): Promise<void> {
  const out = createWriteStream(path);
  out.write('email,email_consent,email_consented_at\n');
  for (let n = 0; n < rows; n += 1) {
    const line = `${addressOf(n)},subscribed,2021-03-04T05:06:07Z\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
