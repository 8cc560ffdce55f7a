import type { Channel, Operation } from '../../contracts/channels.js';
import type { PartCount, Plan } from '../../contracts/migration.js';
import type { Outcome } from '../../contracts/outcomes.js';
import type { ReportedPart } from '../../ledger/index.js';

/** What is asked for one person. */
export interface Asked {
  /** The address or number. */
  readonly who: string;
  readonly listId: string | null;
  readonly unsubscribeFrom: 'everything' | 'list';
}

/** The plan of one person's run in a sentence, and what it does beside what was asked. */
export function personPlan(plan: Plan, asked: Asked): string {
  const sent = plan.toSend.map((part) => doing(part, asked, part.expected));
  const left = plan.settledBefore.map(notDoing);
  const words = [
    sent.length === 0
      ? `Nothing is sent for ${asked.who}: ${left.join('; ')}.`
      : `${asked.who} ${sent.join(', and ')}.${left.length === 0 ? '' : ` Not sent: ${left.join('; ')}.`}`,
  ];
  if (plan.madeReachable.subscribed + plan.madeReachable.neverSubscribed > 0) {
    words.push('They can be mailed again after that.');
  }
  if (plan.leaveBothTexts > 0) {
    words.push('Klaviyo opts them out of both kinds of texts, marketing and transactional.');
  }
  return words.join(' ');
}

const CHANNELS: Readonly<Record<Channel, string>> = {
  email: 'e-mail',
  sms: 'texts',
  sms_transactional: 'transactional texts',
  whatsapp: 'WhatsApp',
  push: 'push messages',
  list: 'the list',
  suppression: 'e-mail',
  old_list: 'the old list',
};

function doing(
  { channel, operation }: { readonly channel: Channel; readonly operation: Operation },
  { listId, unsubscribeFrom }: Asked,
  expected: Outcome,
): string {
  const on = listId === null ? 'the list' : `the list ${listId}`;
  switch (operation) {
    case 'subscribe': {
      const into = listId === null ? '' : ` and added to ${on}`;
      return expected === 'pending_double_opt_in'
        ? `is asked by Klaviyo for a click that subscribes them to ${CHANNELS[channel]}${into && ` and adds them to ${on}`}`
        : `is subscribed to ${CHANNELS[channel]}${into}`;
    }
    case 'unsubscribe':
      return unsubscribeFrom === 'list'
        ? `is unsubscribed from ${on} alone`
        : `is unsubscribed from all ${CHANNELS[channel]}`;
    case 'suppress':
      return 'is suppressed: no mail, whatever their consent is';
    case 'unsuppress':
      return 'is no longer suppressed by hand; their consent stays as it is';
    case 'add_to_list':
      return `is added to ${on}, without consent`;
    case 'remove_from_list':
      return `is removed from ${on}; their consent stays as it is`;
  }
}

function notDoing({ channel, outcome, reason }: PartCount): string {
  return `${CHANNELS[channel]} ${reason ?? outcome}`;
}

/** How it ended, one line for each part. */
export function personOutcomes(parts: readonly ReportedPart[]): string {
  return parts
    .map(({ channel, outcome, reason, consentAfter, settledAt }) => {
      const ended = `${outcome ?? 'open'}${reason === null ? '' : ` (${reason})`}`;
      const read = consentAfter === null ? '' : `, read back as ${consentAfter}`;
      return `${CHANNELS[channel]}: ${ended}${read}${settledAt === null ? '' : `, ${settledAt.toISOString()}`}`;
    })
    .join('\n');
}
