import { isSupportedCountry } from 'libphonenumber-js/max';
import { z } from 'zod';
import { CONSENT_CHANNELS, isPhoneChannel } from '../../contracts/channels.js';
import { ConsentDates } from '../values/consent-date.js';
import { compileDateFormat, DateFormatError } from '../values/date-format.js';
import { checkTimezone } from '../values/timezone.js';

/** What is read ends up in PostgreSQL, which cannot store NUL, so no column and no word has one. */
const text = (error: string) =>
  z
    .string({ error })
    .trim()
    .min(1, error)
    .refine((some) => !some.includes('\0'), error);

const column = text('give the name of a column');

/** YAML reads `yes`, `1` and `true` as different types; a cell is always text. */
const word = z
  .union([z.string(), z.number(), z.boolean()], { error: 'give a word of the column' })
  .transform((value) => String(value).trim().toLowerCase());
const words = z.array(word, { error: 'give a list of words, such as [yes, ja]' });

const zone = z
  .string()
  .refine((name) => checkTimezone(name) === null, 'give an IANA time zone, such as Europe/Berlin');

const dateFormat = z.string().superRefine((format, context) => {
  try {
    compileDateFormat(format);
  } catch (error) {
    if (!(error instanceof DateFormatError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

const country = z.preprocess(
  (value) => (typeof value === 'string' ? { column: value } : value),
  z
    .strictObject({
      column: column.optional(),
      constant: z
        .string()
        .refine((code) => isSupportedCountry(code), 'give two capital letters, such as US or GB')
        .optional(),
    })
    .superRefine(exactlyOneOf('column', 'constant')),
);

const dateOfBirth = z.preprocess(
  (value) => (typeof value === 'string' ? { column: value } : value),
  z.strictObject({ column, format: dateFormat.optional() }),
);

const consent = z
  .strictObject({
    column: column.optional(),
    subscribed: words.optional(),
    unsubscribed: words.optional(),
    never: words.optional(),
    list_only: words.optional(),
    constant: z
      .enum(['subscribed', 'unsubscribed', 'list_only'], {
        error: 'give subscribed, unsubscribed or list_only',
      })
      .optional(),
    attested: text('say who gave consent, when and how').optional(),
  })
  .superRefine((value, context) => {
    exactlyOneOf('column', 'constant')(value, context);
    const { subscribed = [], unsubscribed = [], never = [], list_only = [] } = value;
    const all = [...subscribed, ...unsubscribed, ...never, ...list_only];
    const before = new Set<string>();
    const twice = all.find((one) => before.size === before.add(one).size);
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (twice !== undefined) issue('column', `"${twice}" has two meanings: keep one of them`);
    if (
      value.column !== undefined &&
      subscribed.length + unsubscribed.length + list_only.length < 1
    ) {
      issue('subscribed', 'give the words that mean it, such as [yes, ja]');
    }
    if (value.constant !== undefined && all.length > 0) {
      issue('constant', 'the constant applies to every row: leave out the words of a column');
    }
    if (value.constant === 'subscribed' && value.attested === undefined) {
      issue('attested', 'say who gave consent, when and how: nothing in the source does');
    }
    if (value.column !== undefined && value.attested !== undefined) {
      issue('attested', 'leave it out: the column says who consented');
    }
  });

const date = z
  .strictObject({
    column: column.optional(),
    format: dateFormat.optional(),
    timezone: zone.optional(),
    constant: z
      .string()
      .refine(
        (text) => new ConsentDates('utc', new Date(8.64e15)).read(text).kind === 'valid',
        'give a date such as 2024-05-01 or 2024-05-01T12:00:00Z',
      )
      .optional(),
  })
  .superRefine((value, context) => {
    exactlyOneOf('column', 'constant')(value, context);
    if (value.constant !== undefined && value.format !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['format'],
        message: 'leave it out: a constant date is written as 2024-05-01',
      });
    }
  });

const suppressed = z
  .strictObject({
    column,
    values: words.min(1, 'give the words that mean it'),
    /** Words that mean that a suppression by hand ends. */
    lifted: words.default([]),
  })
  .superRefine(oneMeaningEach('values', 'lifted'));

/** Words of a column about the run's list. */
const list = z
  .strictObject({ column, add: words.default([]), remove: words.default([]) })
  .superRefine(oneMeaningEach('add', 'remove'));

/** Columns of opt-outs: any value but a blank, a no or a none is one. */
const optedOut = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(column, { error: 'give the name of a column, or a list of names' }).min(1),
);

const channel = z
  .strictObject({
    consent: consent.optional(),
    /** When consent was given; without `opted_out_date` also when it was withdrawn. */
    date: date.optional(),
    opted_out: optedOut.optional(),
    /** `none`: no column says when, so opt-outs count as the newest. */
    opted_out_date: z.union([z.literal('none'), date]).optional(),
  })
  .superRefine((value, context) => {
    if (value.consent !== undefined || value.opted_out !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['consent'],
      message: 'say who consented, or which column has opt-outs with opted_out',
    });
  });

/**
 * How to read a source without a preset: which column is what, and which words mean what. This is
 * the form of mapping files, in YAML or JSON.
 */
export const mappingSchema = z
  .strictObject({
    version: z.literal(1, { error: 'this version reads mappings of version 1' }).default(1),
    email: column.optional(),
    phone: column.optional(),
    country: country.optional(),
    /** Time zone of all dates without one. */
    timezone: zone.optional(),
    date_of_birth: dateOfBirth.optional(),
    push: z.strictObject({ token: column, platform: column }).optional(),
    channels: z
      .strictObject(
        Object.fromEntries(CONSENT_CHANNELS.map((name) => [name, channel.optional()])) as Record<
          (typeof CONSENT_CHANNELS)[number],
          z.ZodOptional<typeof channel>
        >,
      )
      .default({}),
    suppressed: suppressed.optional(),
    list: list.optional(),
  })
  .superRefine((mapping, context) => {
    const asked = CONSENT_CHANNELS.filter((name) => mapping.channels[name] !== undefined);
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const forEmail = mapping.channels.email !== undefined || mapping.suppressed !== undefined;
    if (forEmail && mapping.email === undefined) {
      issue('email', 'name the column with the e-mail address');
    }
    const phone = asked.find(isPhoneChannel);
    if (phone !== undefined && mapping.phone === undefined) {
      issue('phone', `name the column with the phone number, which ${phone} needs`);
    }
    if (mapping.list !== undefined && mapping.email === undefined && mapping.phone === undefined) {
      issue('email', 'name a column that identifies the people of the list');
    }
    if (mapping.channels.push && mapping.email === undefined && mapping.phone === undefined) {
      issue('email', 'name a column that identifies the person of the push consent');
    }
  });

function oneMeaningEach<First extends string, Second extends string>(first: First, second: Second) {
  return (
    value: Readonly<Record<First | Second, readonly string[]>>,
    context: z.RefinementCtx,
  ): void => {
    const twice = value[first].find((word) => value[second].includes(word));
    if (twice === undefined) return;
    const message = `"${twice}" has two meanings: keep one of them`;
    context.addIssue({ code: 'custom', path: [second], message });
  };
}

export type Mapping = z.infer<typeof mappingSchema>;
export type ChannelMapping = z.infer<typeof channel>;

function exactlyOneOf(first: string, second: string) {
  return (value: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    if ((value[first] === undefined) !== (value[second] === undefined)) return;
    const both = value[first] !== undefined;
    const message = both
      ? `give ${first} or ${second}, not both`
      : `give ${first}, the name of a column, or ${second}, the same for every row`;
    context.addIssue({ code: 'custom', message });
  };
}
