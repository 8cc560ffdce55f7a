import { chance } from '../../chance/chance.js';
import type { Settings } from '../../settings/options.js';
import type { SubscribeRow } from '../consent/subscribe-row.js';

/** Share of the accepted rows that are lost if the switch is at `lost_at_times`. */
const LOST_SHARE = 0.1;

/** Rows, and parts of rows, that Klaviyo accepts and never carries out (incidents of July 2026). */
export class Losses {
  /** Number of rows drawn so far: a row that is sent again is drawn again. */
  #rows = 0;

  constructor(private readonly settings: Settings) {}

  /** Whether the next accepted row is lost for ever. */
  takesNext(): boolean {
    const { seed, switches } = this.settings;
    if (switches.acceptedRows !== 'lost_at_times') return switches.acceptedRows === 'lost';
    this.#rows += 1;
    return chance(seed, 'lost', String(this.#rows)) < LOST_SHARE;
  }

  /**
   * What remains of a subscribe row: its consent to texts may be lost beside its consent to e-mail.
   */
  leftOf(row: SubscribeRow): SubscribeRow {
    if (this.settings.switches.smsBesideEmail === 'applied') return row;
    const others = row.grants.filter(({ key }) => !key.startsWith('sms.'));
    const hasEmail = others.some(({ key }) => key.startsWith('email.'));
    return hasEmail ? { ...row, grants: others } : row;
  }
}
