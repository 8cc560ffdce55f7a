import type { TruthLine } from 'klaviyo-sandbox';

/*
 * What a row of a destination has to be for a profile of the sandbox: written down from the issue's
 * columns and Klaviyo's names, and not with the product's own rules.
 */

type Value = string | boolean | null;

/** Columns that begin with a channel's name, by where Klaviyo has the channel. */
const PLACES: readonly (readonly [column: string, path: string, canReceive: string])[] = [
  ['email_marketing', 'email.marketing', 'can_receive_email_marketing'],
  ['email_open_tracking', 'email.open_tracking', 'can_receive'],
  ['email_click_tracking', 'email.click_tracking', 'can_receive'],
  ['sms_marketing', 'sms.marketing', 'can_receive_sms_marketing'],
  ['sms_transactional', 'sms.transactional', 'can_receive_sms_transactional'],
  ['whatsapp_marketing', 'whatsapp.marketing', 'can_receive'],
  ['whatsapp_transactional', 'whatsapp.transactional', 'can_receive'],
  ['whatsapp_conversational', 'whatsapp.conversational', 'can_receive'],
  ['mobile_push_marketing', 'mobile_push.marketing', 'can_receive_push_marketing'],
];

const FIELDS = [
  'consent',
  'consent_timestamp',
  'last_updated',
  'method',
  'method_detail',
  'custom_method_detail',
  'double_optin',
  'valid_until',
];

/** The columns of a profile, by name. What Klaviyo has no field for is missing. */
export function expectedRow(line: TruthLine): Map<string, Value> {
  const row = new Map<string, Value>([
    ['profile_id', line.id],
    ['email', line.email],
    ['phone_number', line.phone_number],
  ]);
  for (const [column, path, canReceive] of PLACES) {
    const held = at(line.subscriptions, path) as Record<string, Value> | null | undefined;
    for (const field of FIELDS) {
      const value = held?.[field];
      if (value !== undefined) row.set(`${column}_${field}`, dated(field, value));
    }
    const received = held?.[canReceive] ?? null;
    row.set(`${column}_can_receive`, received);
    if (column.endsWith('tracking')) continue;
    const needed = column.startsWith('email')
      ? line.email !== null
      : !column.startsWith('sms') || line.phone_number !== null;
    const isFree =
      column !== 'email_marketing' || line.subscriptions.email.marketing.suppression.length === 0;
    const maySend = held?.['consent'] === 'SUBSCRIBED' && received === true && needed && isFree;
    row.set(`may_send_${column}`, maySend);
  }
  const { suppression, list_suppressions: ofLists } = line.subscriptions.email.marketing;
  row.set('email_marketing_suppressions', inOrder(suppression));
  row.set('email_marketing_list_suppressions', inOrder(ofLists));
  return row;
}

/** JSON texts with their elements in one order, times in one form. */
export function inOrder(items: readonly object[]): string {
  const texts = items.map((item) => {
    const entries = Object.entries(item).map(([key, value]): [string, unknown] => [
      key,
      key === 'timestamp' ? dated('timestamp', value as Value) : value,
    ]);
    return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return texts.sort().join(' ');
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], value);
}

/** `2026-01-02 03:04:05.123456`, in UTC; the sandbox writes UTC. */
function dated(field: string, value: Value): Value {
  const isTime = field.endsWith('timestamp') || field === 'last_updated' || field === 'valid_until';
  if (!isTime || typeof value !== 'string') return value;
  const [whole = '', fraction = ''] = value.replace(/(Z|\+00:00)$/, '').split('.');
  return `${whole.replace('T', ' ')}.${fraction.padEnd(6, '0').slice(0, 6)}`;
}
