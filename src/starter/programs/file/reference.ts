import { z } from 'zod';
import { setting, text } from '../../migrations/request/setting.js';
import { eitherOf } from './keys.js';

const REFERENCE = 'a secret is never written in this file: give { env: NAME } or { file: PATH }';

/** Where a secret is. What looks like the secret itself is refused, and not shown. */
export const reference = z
  .strictObject(
    {
      env: setting(
        z
          .string({ error: 'give the name of an environment variable' })
          .regex(/^[A-Z_][A-Z0-9_]*$/, 'give its name in capital letters, such as CRM_URL')
          .optional(),
        { says: 'name of an environment variable' },
      ),
      file: setting(
        text('give the path of a file')
          .refine((path) => !/:\/\/|^pk_/.test(path), 'give the path of a file')
          .optional(),
        { says: 'path of a file, as secret stores mount them; relative to this file' },
      ),
    },
    { error: REFERENCE },
  )
  .superRefine(eitherOf('env', 'file', REFERENCE));

export type Reference = z.output<typeof reference>;
