import { chance } from '../../chance/chance.js';
import type { Switches } from '../../settings/options.js';
import type { Core } from '../core.js';
import { subscriptionsOf, type SubscriptionsView } from '../consent/subscriptions-view.js';
import { ReadLag } from './read-lag.js';

/** Share of the reads that find nothing if the switch is at `null_at_times`. */
const NULL_SHARE = 0.2;

/**
 * `email` and `subscriptions` as the API's answers show them, which is not always the true state.
 */
export class ShownProfiles {
  readonly lag: ReadLag;
  /** Number of reads drawn so far: each is drawn separately. */
  #reads = 0;

  constructor(private readonly core: Core) {
    this.lag = new ReadLag(core);
  }

  email(index: number): string | null {
    const { emailField } = this.core.settings.switches;
    const kept = this.core.profiles.shownEmail(index);
    if (emailField === 'kept' || kept === null) return kept;
    return emailField === 'padded' ? ` ${kept}\u200B` : this.#isNull(emailField) ? null : kept;
  }

  subscriptions(index: number): object | null {
    const { subscriptionsField, suppressionField, smsMarketingImplies } =
      this.core.settings.switches;
    if (subscriptionsField !== 'object' && this.#isNull(subscriptionsField)) return null;
    const view = this.lag.shown(index) ?? subscriptionsOf(this.core.profiles, index);
    const shown = withImplied(view, smsMarketingImplies);
    return suppressionField === 'array' ? shown : without(shown, suppressionField);
  }

  #isNull(field: 'null' | 'null_at_times'): boolean {
    if (field === 'null') return true;
    this.#reads += 1;
    const luck = chance(this.core.settings.seed, 'subscriptions', String(this.#reads));
    return luck < NULL_SHARE;
  }
}

/**
 * The view with what consent to marketing texts says about transactional ones; as stored, it only
 * allows receiving.
 */
function withImplied(
  view: SubscriptionsView,
  implies: Switches['smsMarketingImplies'],
): SubscriptionsView {
  const { marketing, transactional } = view.sms;
  const isAlone =
    marketing.consent === 'SUBSCRIBED' && transactional.consent === 'NEVER_SUBSCRIBED';
  if (implies === 'receiving' || marketing.consent !== 'SUBSCRIBED') return view;
  const { can_receive_sms_marketing: _, ...given } = marketing;
  const own = transactional.consent === 'SUBSCRIBED';
  const shown =
    implies === 'consent'
      ? { ...transactional, ...(isAlone ? given : {}) }
      : { ...transactional, can_receive_sms_transactional: own };
  return { ...view, sms: { marketing, transactional: shown } };
}

/** The view without its suppressions; whether mail can be received does not change. */
function without({ email, ...others }: SubscriptionsView, field: 'null' | 'absent'): object {
  const { suppression: _, list_suppressions: __, ...marketing } = email.marketing;
  const nothing = field === 'null' ? { suppression: null, list_suppressions: null } : {};
  return { email: { ...email, marketing: { ...marketing, ...nothing } }, ...others };
}
