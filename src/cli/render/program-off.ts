import type { PartCount } from '../../contracts/migration.js';
import type { PlannedOff } from '../run/plan-changes.js';
import { count, counted } from './quantities.js';
import { table } from './table.js';

/** Why somebody is left alone; other reasons are told by their key. */
const REASONS: Readonly<Record<string, string>> = {
  already_opted_out: 'unsubscribed already',
  not_subscribed: 'not subscribed any more',
  given_by_another: 'Klaviyo has their consent from elsewhere',
  renewed_elsewhere: 'consented again since, elsewhere',
  asked_for_elsewhere: 'another program or run asks for the same consent',
  ends_other_texts: 'would lose their other texts, too',
  consent_origin_unknown: 'Klaviyo does not show who their consent is from',
};

/** Whom a program that is switched off would unsubscribe, and whom it leaves alone. */
export function offWords(program: string, off: PlannedOff): string {
  const { people, channels, unsubscribes, leaves, alsoAsked, leaveBothTexts } = off;
  const whom =
    people === 'unsubscribe_given'
      ? 'whoever has this consent from the program alone'
      : 'all its contacts';
  const parts = unsubscribes.reduce((sum, each) => sum + each.parts, 0);
  return [
    `${program}, off: ${people}. It does not ask for ${channels.join(', ')} any more, and ${whom} would be ` +
      `unsubscribed from everything there:`,
    table(
      [{ head: 'channel' }, { head: 'people' }, { head: 'number', align: 'right' }],
      [
        ...unsubscribes.map(({ channel, parts: of }) => [channel, 'UNSUBSCRIBED', count(of)]),
        ...leaves.map((each) => [each.channel, `left alone: ${reasonOf(each)}`, count(each.parts)]),
        ...(unsubscribes.length + leaves.length === 0
          ? [[channels.join(', '), 'nobody', '0']]
          : []),
      ],
    ),
    ...alsoAsked.map(
      ({ channel, parts: of }) =>
        `Other programs ask ${count(of)} of them for ${channel} too, and they would be unsubscribed all the same. ` +
        'unsubscribe_given leaves them alone.',
    ),
    ...(leaveBothTexts === 0
      ? []
      : [
          `${counted(leaveBothTexts, 'person', 'people')} would leave both kinds of texts, since Klaviyo ends them together.`,
        ]),
    ...(people === 'unsubscribe_given' && parts > 0
      ? [
          'Before each call everybody is read again, and whoever consented elsewhere meanwhile is left alone.',
        ]
      : []),
    ...(parts > 0
      ? [
          'WARNING: this cannot be taken back. For Klaviyo these people have opted out. If the program is switched on ' +
            'again, none of them is subscribed by it, nor by any other run: only they themselves can give the consent again.',
        ]
      : []),
  ].join('\n\n');
}

function reasonOf({ outcome, reason }: PartCount): string {
  return REASONS[reason ?? ''] ?? reason ?? outcome;
}
