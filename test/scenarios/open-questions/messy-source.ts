import type { SeedProfile } from 'klaviyo-sandbox';
import { DROPPED_DOMAIN, messyPhones, type MessyPhones } from './messy-phones.js';

/** A source in which everything is wrong that can be, and the account that it meets. */
export interface MessySource {
  readonly lines: readonly string[];
  readonly seeds: readonly SeedProfile[];
  /** Whether somebody is of this source, by address or number. */
  readonly isAbout: (who: Who) => boolean;
}

interface Who {
  readonly email: string | null;
  readonly phone_number: string | null;
}

const PAST = '2024-05-06T07:08:09Z';
const HEADER = 'email,phone_number,email_consent,email_consented_at,sms_consent,suppressed,list';

/** What the account can hold about somebody before the run. */
const STATES: Readonly<Record<string, (listId: string) => Omit<SeedProfile, 'email'>>> = {
  never: () => ({}),
  on: (listId) => ({ email_consent: 'SUBSCRIBED', lists: [listId] }),
  off: () => ({ email_consent: 'SUBSCRIBED' }),
  texted: () => ({ email_consent: 'SUBSCRIBED', sms_consent: 'SUBSCRIBED' }),
  member: (listId) => ({ lists: [listId] }),
  left: () => ({ email_consent: 'UNSUBSCRIBED' }),
  stopped: () => ({ email_consent: 'SUBSCRIBED', sms_consent: 'UNSUBSCRIBED' }),
  gone: () => ({ email_consent: 'UNSUBSCRIBED', sms_consent: 'UNSUBSCRIBED' }),
  blocked: () => ({ email_consent: 'SUBSCRIBED', suppressions: ['USER_SUPPRESSED'] }),
  muted: () => ({ suppressions: ['USER_SUPPRESSED'] }),
  spam: () => ({ email_consent: 'SUBSCRIBED', suppressions: ['SPAM_COMPLAINT'] }),
  bounced: () => ({ email_consent: 'SUBSCRIBED', suppressions: ['HARD_BOUNCE'] }),
  invalid: () => ({ suppressions: ['INVALID_EMAIL'] }),
};

/** States that also meet a row with another number; no more, as a source has a hundred. */
const MOVERS = ['never', 'on', 'texted', 'left', 'stopped', 'gone', 'blocked'];

/** @param place of the source among all: no two share a person */
export function messySource(place: number, listId: string): MessySource {
  const phones = messyPhones(place);
  const source = new Source(`m${place}-`, phones);
  for (const state of Object.keys(STATES)) addKnown(source, state, listId);
  addNew(source);
  addRepeated(source);
  addOptOuts(source, listId);
  addSuppressionsAndLists(source, listId);
  addTwoPeople(source);
  addRefused(source);
  return {
    lines: [HEADER, ...source.lines],
    seeds: source.seeds,
    isAbout: ({ email, phone_number: phone }) =>
      (email?.startsWith(`m${place}-`) ?? false) || (phone !== null && phones.isOne(phone)),
  };
}

/** Collects rows and the people whom they meet. */
class Source {
  readonly lines: string[] = [];
  readonly seeds: SeedProfile[] = [];

  constructor(
    private readonly tag: string,
    readonly phones: MessyPhones,
  ) {}

  address(name: string, domain = 'example.com'): string {
    return `${this.tag}${name}@${domain}`;
  }

  row(cells: {
    email?: string;
    phone?: string;
    mails?: string;
    texts?: string;
    suppressed?: string;
    list?: string;
  }) {
    const { email = '', phone = '', mails = '', texts = '', suppressed = '', list = '' } = cells;
    const date = mails === '' ? '' : '2023-04-05T06:07:08Z';
    this.lines.push([email, phone, mails, date, texts, suppressed, list].join(','));
  }

  knows(seed: SeedProfile): void {
    this.seeds.push({ consent_timestamp: PAST, ...seed });
  }
}

/** People whom the account knows: asked by mail, by text, and by both. */
function addKnown(source: Source, state: string, listId: string): void {
  const held = STATES[state]?.(listId) ?? {};
  const asked = ['mails', 'texts', 'both', ...(MOVERS.includes(state) ? ['newnumber'] : [])];
  for (const what of asked) {
    const email = source.address(`${state}-${what}`);
    const phone = source.phones.next();
    source.knows({ email, phone_number: phone, ...held });
    source.row({
      email: state === 'on' ? email.toUpperCase() : email,
      phone: what === 'newnumber' ? source.phones.next() : phone,
      mails: what === 'texts' ? '' : 'yes',
      texts: what === 'mails' ? '' : 'yes',
    });
  }
}

function addNew(source: Source): void {
  for (let i = 0; i < 16; i++) source.row({ email: source.address(`new${i}`), mails: 'yes' });
  for (let i = 0; i < 12; i++) {
    const email = source.address(`both${i}`);
    source.row({ email, phone: source.phones.next(), mails: 'yes', texts: 'yes' });
  }
  for (let i = 0; i < 6; i++) source.row({ phone: source.phones.next(), texts: 'yes' });
  for (let i = 0; i < 2; i++) {
    source.row({ email: source.address(`dropped${i}`, DROPPED_DOMAIN), mails: 'yes' });
    source.row({ email: source.address(`list${i}`), mails: 'list_only' });
  }
}

function addRepeated(source: Source): void {
  for (let i = 0; i < 3; i++) {
    const email = source.address(`twice${i}`);
    source.row({ email, mails: 'yes' });
    source.row({
      email: email.toUpperCase(),
      phone: source.phones.next(),
      mails: 'yes',
      texts: 'yes',
    });
    const phone = source.phones.next();
    source.row({ email: source.address(`first${i}`), phone, mails: 'yes', texts: 'yes' });
    source.row({ email: source.address(`second${i}`), phone, mails: 'yes', texts: 'yes' });
    source.row({ phone, texts: 'yes' });
    const torn = source.address(`torn${i}`);
    source.row({ email: torn, mails: i === 0 ? 'unsubscribed' : 'yes' });
    source.row({ email: torn, mails: i === 0 ? 'yes' : 'unsubscribed' });
  }
}

function addOptOuts(source: Source, listId: string): void {
  for (const state of ['never', 'on', 'texted', 'left', 'bounced']) {
    const held = STATES[state]?.(listId) ?? {};
    const leaves = source.address(`leaves-${state}`);
    source.knows({ email: leaves, phone_number: source.phones.next(), ...held });
    source.row({ email: leaves, mails: 'unsubscribed' });
    const stops = source.phones.next();
    source.knows({ email: source.address(`stops-${state}`), phone_number: stops, ...held });
    source.row({ phone: stops, texts: 'unsubscribed' });
    const out = source.address(`out-${state}`);
    source.knows({ email: out, ...held });
    source.row({ email: out, mails: 'yes', suppressed: 'yes' });
    const listed = source.address(`listed-${state}`);
    source.knows({ email: listed, ...held });
    source.row({ email: listed, mails: 'list_only' });
  }
  source.row({ email: source.address('leaves-unknown'), mails: 'unsubscribed' });
  source.row({ phone: source.phones.next(), texts: 'unsubscribed' });
  source.row({ email: source.address('out-unknown'), suppressed: 'yes' });
}

/** Suppressions that are lifted, people who join and leave the list, and rows that contradict them. */
function addSuppressionsAndLists(source: Source, listId: string): void {
  for (const state of ['never', 'on', 'member', 'left', 'blocked', 'muted', 'bounced', 'unknown']) {
    const held = STATES[state]?.(listId) ?? null;
    for (const [name, cells] of [
      ['lifted', { suppressed: 'lifted' }],
      ['joins', { list: 'add' }],
      ['removed', { list: 'remove' }],
      ['unclear', { mails: 'yes', list: 'perhaps' }],
    ] as const) {
      const email = source.address(`${name}-${state}`);
      if (held !== null) source.knows({ email, ...held });
      source.row({ email, ...cells });
    }
    const torn = source.address(`both-ways-${state}`);
    if (held !== null) source.knows({ email: torn, ...held });
    source.row({ email: torn, mails: 'yes' });
    source.row({ email: torn, suppressed: 'lifted', list: 'add' });
    source.row({ email: torn, list: 'remove' });
    const out = source.address(`suppressed-after-all-${state}`);
    if (held !== null) source.knows({ email: out, ...held });
    source.row({ email: out, suppressed: 'lifted', list: 'add' });
    source.row({ email: out, mails: 'yes', suppressed: 'yes' });
  }
}

/** Address and number of two people, who are to stay two. */
function addTwoPeople(source: Source): void {
  for (let i = 0; i < 3; i++) {
    const [email, phone] = [source.address(`one${i}`), source.phones.next()];
    if (i > 0) source.knows({ email, email_consent: 'SUBSCRIBED' });
    source.knows({ email: source.address(`other${i}`), phone_number: phone });
    source.row({ email, phone, mails: 'yes', texts: 'yes' });
  }
  // Somebody whom no row is about.
  source.knows({ email: source.address('bystander'), email_consent: 'SUBSCRIBED' });
}

function addRefused(source: Source): void {
  [...source.phones.abroad, ...source.phones.bad].forEach((phone, i) => {
    source.row({ email: source.address(`bad${i}`), phone, mails: 'yes', texts: 'yes' });
    source.row({ phone, texts: 'yes' });
  });
  source.row({ email: source.address('nophone'), mails: 'yes', texts: 'yes' });
  source.row({ email: source.address('maybe'), mails: 'perhaps' });
  source.row({ email: source.address('nothing'), mails: 'no' });
  source.row({ email: 'not an address', mails: 'yes' });
  source.row({ mails: 'yes' });
}
