import { stringify } from 'csv-stringify/sync';
import type { SandboxAccount } from '../../account/account.js';
import type { ExportSource } from '../../account/groups/exporting.js';
import type { TimeIndex } from '../../store/events/time-index.js';
import { isObject } from '../http/body.js';
import { MEMBER } from '../query/field-paths.js';
import { profileWriter } from '../profiles/resource/profile-resource.js';
import { PROFILE_QUERY } from '../profiles/query-rules.js';
import { Query } from '../query/query.js';

/** Columns if the request names none. Names and order are ours: none are documented. */
const USUAL = [
  'id',
  'email',
  'phone_number',
  'external_id',
  'first_name',
  'last_name',
  'created',
  'updated',
  'joined_group_at',
];

/** Consent columns, which are in every export. Their names are the paths in a profile. */
const CONSENT = [
  'subscriptions.email.marketing.can_receive_email_marketing',
  'subscriptions.email.marketing.consent',
  'subscriptions.email.marketing.consent_timestamp',
  'subscriptions.email.marketing.suppression',
  'subscriptions.sms.marketing.can_receive_sms_marketing',
  'subscriptions.sms.marketing.consent',
  'subscriptions.sms.marketing.consent_timestamp',
];

const CUSTOM = /^properties\[(['"])(.+)\1\]$/;
const KNOWN: ReadonlySet<string> = new Set(MEMBER);

/** Whether it is a valid profile property: `email`, `location.city`, `properties['shoe size']`. */
export const isExportable = (name: string): boolean => KNOWN.has(name) || CUSTOM.test(name);

/** The parts of a list or segment that an export needs. */
export interface Exported {
  readonly byJoined: TimeIndex;
  joinedAt(index: number): number | undefined;
}

/** @param find finds the group, again when the export runs */
export function exportSource(
  account: SandboxAccount,
  properties: readonly string[] | null,
  find: () => Exported | undefined,
): ExportSource {
  const names = [...new Set([...(properties ?? USUAL), ...CONSENT])];
  const columns = names.map(pathOf);
  const asked = new URLSearchParams({ 'additional-fields[profile]': 'subscriptions' });
  const resource = profileWriter(
    account,
    new Query(asked, PROFILE_QUERY, {
      resource: 'profile',
      offsetInFilter: account.settings.switches.offsetInFilter,
    }),
    '',
  );
  const isAlive = (index: number) => account.profiles.isAlive(index);
  return {
    header: stringify([names]),
    members: () => find()?.byJoined.ascending(-Infinity, Infinity, null) ?? null,
    write: (members) =>
      stringify(
        members.filter(isAlive).map((index) => {
          const profile = flat(resource(index, find()?.joinedAt(index)));
          return columns.map((path) => textOf(path.reduce(inside, profile)));
        }),
      ),
  };
}

function pathOf(name: string): readonly string[] {
  const custom = CUSTOM.exec(name)?.[2];
  return custom === undefined ? name.split('.') : ['properties', custom];
}

const flat = (resource: object): unknown => {
  const { id, attributes } = resource as { id: string; attributes: object };
  return { id, ...attributes };
};

const inside = (value: unknown, name: string): unknown =>
  isObject(value) ? value[name] : undefined;

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
