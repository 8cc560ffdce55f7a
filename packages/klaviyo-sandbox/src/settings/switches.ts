/** Answers to questions without a published answer; see `DEFAULT_SWITCHES`. */
export interface Switches {
  /** How many bad rows one 400 names. */
  errorsPerAnswer: 'all' | number;
  /** The same e-mail or phone twice in one subscribe request. */
  duplicateRows: 'accept_last' | 'reject';
  /** E-mail and phone of one row belong to two profiles. */
  twoProfiles: 'merge' | 'ignore_phone';
  /** A badly formed phone beside a good e-mail: the rule since 2025, or the older one. */
  invalidPhoneWithEmail: 'partial_failure' | 'reject';
  /** A repeated subscribe before the click sends the message again. */
  repeatDoubleOptInMessage: boolean;
  /** A subscribed person who is not on the double opt-in list: asked to confirm, or added to it. */
  subscribedOnDoubleOptIn: 'messaged' | 'joins';
  /** An unsubscribe link or a STOP changes the profile's `updated`. */
  personOptOutMovesUpdated: boolean;
  /** A suppression changes the profile's `updated`. */
  suppressionMovesUpdated: boolean;
  /** Subscription events are written with the change, or after the `event` delay. */
  events: 'at_once' | 'late';
  /** Events of a historical import carry the date of the consent, or of its arrival. */
  historicalEvents: 'backdated' | 'now';
  /**
   * What a suppression job reports: `processing` with every row skipped for hours, or the true
   * state.
   */
  suppressionJobStatus: 'lies' | 'honest';
  /** An id that does not exist, on operations that read one profile, list or segment. */
  unknownIdOnGet: 404 | 400;
  /** A metric that never fired: already in the account, or not before its first event. */
  unfiredMetrics: 'listed' | 'missing';
  /** A date in a filter with an offset such as +00:00 instead of Z. */
  offsetInFilter: 'rejected' | 'accepted';
  /** A revision between the newest known one and today. */
  unlistedRevision: 'refused' | 'falls_back';
  /** A private key may use webhooks (Klaviyo: only with Advanced KDP, else 403). */
  webhooks: 'allowed' | 'refused';
  /** The account accepts push tokens (else 403, as on an account without the feature). */
  pushTokens: 'allowed' | 'refused';
  /** A private key may use the invite-only bulk export. */
  bulkExport: 'allowed' | 'refused';
  /** What the download of an export returns: the file, or a document with its URL. */
  exportDownload: 'file' | 'link';
  /** How a filter compares e-mail addresses: case-insensitively, or case-sensitively. */
  filterCase: 'insensitive' | 'sensitive';
  /**
   * How the address of a new profile is stored; its match to a person never depends on the case.
   */
  storedEmails: 'lower_case' | 'as_written';
  /** Which of several profiles with one e-mail address, or one number, a row changes. */
  sameIdentifier: 'oldest' | 'newest' | 'all';
  /**
   * `email` of a profile in answers: as stored, padded with blanks, or null; at times: in a fifth.
   */
  emailField: 'kept' | 'padded' | 'null' | 'null_at_times';
  /**
   * `suppression` and `list_suppressions` in answers; whether mail can be received stays correct.
   */
  suppressionField: 'array' | 'null' | 'absent';
  /** `subscriptions` of a profile in answers; at times: a fifth of the reads find none. */
  subscriptionsField: 'object' | 'null' | 'null_at_times';
  /** Rows of accepted subscribes, unsubscribes and imports; at times: a tenth is lost for ever. */
  acceptedRows: 'applied' | 'lost_at_times' | 'lost';
  /** Consent to texts in a subscribe row that also has consent to e-mail. */
  smsBesideEmail: 'applied' | 'lost';
  /**
   * The metric of an event in answers: named, missing, or an id that no metric has; at times: a
   * fifth of the events name none.
   */
  eventMetric: 'named' | 'missing_at_times' | 'missing' | 'unknown';
  /** How soon segments follow changes of people: within minutes, or hours later. */
  segmentMembers: 'current' | 'hours_behind';
  /** Whether reads with `additional-fields` share their own limit across all endpoints. */
  additionalFieldsLimit: 'none' | 'shared';
  /**
   * What consent to marketing texts says about transactional ones in answers: that they can be
   * received, that there is consent to them as well, or nothing. Their own consent or opt-out
   * always takes precedence.
   */
  smsMarketingImplies: 'receiving' | 'consent' | 'nothing';
  /** `meta.agent_hints` in answers of stable operations: texts for autonomous programs. */
  agentHints: 'absent' | 'given';
}

export const DEFAULT_SWITCHES: Switches = {
  errorsPerAnswer: 'all',
  duplicateRows: 'accept_last',
  twoProfiles: 'merge',
  invalidPhoneWithEmail: 'partial_failure',
  repeatDoubleOptInMessage: true,
  subscribedOnDoubleOptIn: 'messaged',
  personOptOutMovesUpdated: false,
  suppressionMovesUpdated: false,
  events: 'at_once',
  historicalEvents: 'backdated',
  suppressionJobStatus: 'lies',
  unknownIdOnGet: 404,
  offsetInFilter: 'rejected',
  unlistedRevision: 'refused',
  unfiredMetrics: 'missing',
  webhooks: 'refused',
  pushTokens: 'allowed',
  bulkExport: 'refused',
  exportDownload: 'file',
  filterCase: 'insensitive',
  storedEmails: 'lower_case',
  sameIdentifier: 'oldest',
  emailField: 'kept',
  suppressionField: 'array',
  subscriptionsField: 'object',
  acceptedRows: 'applied',
  smsBesideEmail: 'applied',
  eventMetric: 'named',
  segmentMembers: 'current',
  additionalFieldsLimit: 'none',
  smsMarketingImplies: 'receiving',
  agentHints: 'absent',
};

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
  filterCase: ['insensitive', 'sensitive'],
  storedEmails: ['lower_case', 'as_written'],
  sameIdentifier: ['oldest', 'newest', 'all'],
  emailField: ['kept', 'padded', 'null', 'null_at_times'],
  suppressionField: ['array', 'null', 'absent'],
  subscriptionsField: ['object', 'null', 'null_at_times'],
  acceptedRows: ['applied', 'lost_at_times', 'lost'],
  smsBesideEmail: ['applied', 'lost'],
  eventMetric: ['named', 'missing_at_times', 'missing', 'unknown'],
  segmentMembers: ['current', 'hours_behind'],
  additionalFieldsLimit: ['none', 'shared'],
  smsMarketingImplies: ['receiving', 'consent', 'nothing'],
  agentHints: ['absent', 'given'],
};
/** Switches that also accept any whole number from 1. */
const COUNTS: ReadonlySet<keyof Switches> = new Set(['errorsPerAnswer'] as const);

const NAMES = Object.keys(VALUES) as (keyof Switches)[];

/** Every switch with its possible values, as text for the help. */
export function switchChoices(): { name: keyof Switches; values: string }[] {
  return NAMES.map((name) => ({ name, values: choicesOf(name) }));
}

/** @throws RangeError naming an unknown switch or an invalid value */
export function checkSwitches(given: object): Partial<Switches> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const known = knownSwitch(name);
      if (isValueOf(known, value)) return [known, value];
      throw wrongValue(known, JSON.stringify(value));
    }),
  );
}

/** Reads `name=value`. @throws RangeError naming an unknown switch or an invalid value */
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
