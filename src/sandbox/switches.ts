import type { Switches } from './options.js';

type Value = Switches[keyof Switches];

/** What each switch can be set to. */
const VALUES: { readonly [Name in keyof Switches]: readonly Switches[Name][] } = {
  errorsPerAnswer: ['all'],
  duplicateRows: ['accept_last', 'reject'],
  twoProfiles: ['merge', 'ignore_phone'],
  invalidPhoneWithEmail: ['partial_failure', 'reject'],
  repeatDoubleOptInMessage: [true, false],
  subscribedOnDoubleOptIn: ['messaged', 'joins'],
  personOptOutMovesUpdated: [true, false],
  suppressionMovesUpdated: [true, false],
  events: ['at_once', 'late'],
  historicalEvents: ['backdated', 'now'],
  suppressionJobStatus: ['lies', 'honest'],
  unknownIdOnGet: [404, 400],
  unfiredMetrics: ['listed', 'missing'],
  offsetInFilter: ['rejected', 'accepted'],
  unlistedRevision: ['refused', 'falls_back'],
  webhooks: ['allowed', 'refused'],
  pushTokens: ['allowed', 'refused'],
  bulkExport: ['allowed', 'refused'],
  exportDownload: ['file', 'link'],
};
/** Switches that take any whole number from 1 as well. */
const COUNTS: ReadonlySet<keyof Switches> = new Set(['errorsPerAnswer'] as const);

const NAMES = Object.keys(VALUES) as (keyof Switches)[];

/** Every switch with what it can be set to, as text, for help. */
export function switchChoices(): { name: keyof Switches; values: string }[] {
  return NAMES.map((name) => ({ name, values: choicesOf(name) }));
}

/** @throws RangeError naming an unknown switch or a value that it cannot have */
export function checkSwitches(given: object): Partial<Switches> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const known = knownSwitch(name);
      if (isValueOf(known, value)) return [known, value];
      throw wrongValue(known, JSON.stringify(value));
    }),
  );
}

/** Reads `name=value`. @throws RangeError naming an unknown switch or a value it cannot have */
export function parseSwitch(text: string): Partial<Switches> {
  const at = text.indexOf('=');
  if (at < 0) {
    throw new RangeError(`write a switch as name=value; got "${text}"`);
  }
  const name = knownSwitch(text.slice(0, at).trim());
  const value = text.slice(at + 1).trim();
  const named = VALUES[name].find((one) => String(one) === value);
  const number = COUNTS.has(name) && /^[1-9]\d*$/.test(value) ? Number(value) : undefined;
  if (named === undefined && number === undefined) throw wrongValue(name, value);
  return { [name]: named ?? number };
}

function knownSwitch(name: string): keyof Switches {
  const known = NAMES.find((one) => one === name);
  if (known !== undefined) return known;
  throw new RangeError(`there is no switch "${name}"; known are ${NAMES.join(', ')}`);
}

function isValueOf(name: keyof Switches, value: unknown): value is Value {
  const isCount = COUNTS.has(name) && Number.isInteger(value) && Number(value) > 0;
  return isCount || VALUES[name].some((one) => one === value);
}

const wrongValue = (name: keyof Switches, value: string): RangeError =>
  new RangeError(`the switch ${name} can be ${choicesOf(name)}; got ${value}`);

function choicesOf(name: keyof Switches): string {
  const values = VALUES[name].map(String);
  return [...values, ...(COUNTS.has(name) ? ['a whole number from 1'] : [])].join(' or ');
}
