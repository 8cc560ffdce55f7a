import { setTimeout as delay } from 'node:timers/promises';
import type { Harness } from '../../support/harness.js';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { Random } from '../../../src/demo/random.js';
import { nextRun, Segment, SOON_OVER, untilAnswerable } from '../../starter/programs/segment.js';
import { Model, type Consent } from './model.js';

const HOUR_MS = 3_600_000;

export interface LifeSettings {
  readonly hours: number;
  /** In the segment at the beginning; the world has twice as many. */
  readonly people: number;
  readonly seed: number;
  readonly worker: LivingWorker;
  readonly onHour?: (hour: number, what: string) => void;
}

/** The worker of a life. */
export interface LivingWorker {
  restart(): Promise<void>;
  /** Null where it is in this process, and cannot be killed. */
  readonly kill: (() => Promise<void>) | null;
}

export interface LifeReport {
  readonly hours: number;
  readonly runs: number;
  readonly braked: number;
  readonly failed: number;
  readonly restarts: number;
  readonly kills: number;
  readonly entered: number;
  readonly left: number;
  readonly unsubscribed: number;
  readonly signedUp: number;
  readonly lostLedgers: number;
  /** What Klaviyo shows otherwise than the model says, person by person. */
  readonly differences: readonly string[];
}

/** What is wrong with the source at one hour. */
type Fault = 'none' | 'late_load' | 'broken_join' | 'everybody' | 'double_keys';

/** The first run has everybody, and a worker that was killed is missed after 30 s. */
const WAITING = { withinMs: 1_800_000, everyMs: 300 } as const;

/** A worker is killed so soon after its run was started, at most. */
const KILLED_WITHIN_MS = 2_000;

const BRAKES = { leave: 0.2, enter: 0.5 } as const;

/** Lives through hours of a segment that runs each hour, while its people and its source change at random. */
export async function liveThrough(harness: Harness, settings: LifeSettings): Promise<LifeReport> {
  return new Life(harness, settings).lived();
}

class Life {
  readonly #random: Random;
  readonly #model = new Model(2);
  /** Address by key: who is in the segment, in truth. */
  readonly #segment = new Map<string, string>();
  readonly #outside = new Map<string, string>();
  readonly #program: Segment;
  /** What happened to whom, for whoever reads a difference. */
  readonly #story = new Map<string, string[]>();
  #hour = 0;
  #lasts = false;
  #addresses = 0;
  #runs = 0;
  readonly #count = {
    braked: 0,
    failed: 0,
    restarts: 0,
    kills: 0,
    entered: 0,
    left: 0,
    unsubscribed: 0,
    signedUp: 0,
    lostLedgers: 0,
  };

  constructor(
    private readonly harness: Harness,
    private readonly settings: LifeSettings,
  ) {
    this.#random = new Random(settings.seed);
    this.#program = new Segment(
      harness,
      `key: member_id, leave: { do: unsubscribe, after: 2 runs }, schedule: { every: 1h }, ` +
        `brakes: { leave: { share: ${BRAKES.leave} }, enter: { share: ${BRAKES.enter} } }`,
    );
  }

  async lived(): Promise<LifeReport> {
    const { people, hours } = this.settings;
    for (let key = 0; key < 2 * people; key += 1) {
      (key < people ? this.#segment : this.#outside).set(String(key), this.#newAddress());
    }
    await this.#write(this.#segment);
    await this.#apply();
    await this.#run('none', 0, true);
    const lostAt = Math.floor(hours / 2);
    for (let hour = 1; hour <= hours; hour += 1) {
      this.#hour = hour;
      this.#happen();
      await this.#pass();
      if (hour === lostAt) await this.#loseLedger(hour);
      await this.#run(this.#fault(), hour, false);
    }
    // Long enough for grace, and for whoever is looked at again after a day.
    for (let hour = hours + 1; hour <= hours + 26; hour += 1) {
      await this.#pass();
      if (hour < hours + 3 || hour > hours + 24) await this.#run('none', hour, false);
    }
    return { hours, runs: this.#runs, ...this.#count, differences: this.#differences() };
  }

  #newAddress(): string {
    const address = `p${(this.#addresses += 1)}@life.test`;
    const dice = this.#random.next();
    const consent: Consent =
      dice < 0.7 ? 'never' : dice < 0.85 ? 'subscribed' : dice < 0.95 ? 'unsubscribed' : 'none';
    this.#model.addresses.set(address, { consent, isOurs: false, onList: false });
    if (consent !== 'none') {
      const email_consent = (
        {
          never: 'NEVER_SUBSCRIBED',
          subscribed: 'SUBSCRIBED',
          unsubscribed: 'UNSUBSCRIBED',
        } as const
      )[consent];
      this.harness.sandbox.account.seed({ email: address, email_consent });
    }
    return address;
  }

  /** An hour of the world, between two runs. */
  #happen(): void {
    const random = this.#random;
    const few = Math.max(2, Math.round(this.settings.people / 250));
    for (let n = random.below(few + 1); n > 0; n -= 1) {
      this.#move(this.#outside, this.#segment);
      this.#count.entered += 1;
    }
    for (let n = random.below(few + 1); n > 0; n -= 1) {
      this.#move(this.#segment, this.#outside);
      this.#count.left += 1;
    }
    // Another address, and the same address with another key.
    if (random.chance(0.5))
      this.#segment.set(random.pick([...this.#segment.keys()]), this.#newAddress());
    if (random.chance(0.3)) {
      const key = random.pick([...this.#segment.keys()]);
      const address = this.#segment.get(key) ?? '';
      this.#segment.delete(key);
      this.#segment.set(`9${this.#addresses}${key}`, address);
    }
    const known = [...this.#segment.values(), ...this.#outside.values()].filter(
      (address) => this.#model.of(address).consent !== 'none',
    );
    for (let n = random.below(3); n > 0; n -= 1) {
      const email = random.pick(known);
      if (this.#model.of(email).consent === 'unsubscribed') continue;
      this.harness.sandbox.account.unsubscribe({ email });
      this.#model.unsubscribes(email);
      this.#tell(email, 'unsubscribes');
      this.#count.unsubscribed += 1;
    }
    for (let n = random.below(3); n > 0; n -= 1) {
      const email = random.pick(known);
      // Every form has a list: of whoever is subscribed already, nothing else shows it.
      this.harness.sandbox.account.subscribe({ email, list_id: DOUBLE });
      this.#model.signsUp(email);
      this.#tell(email, 'signs up');
      this.#count.signedUp += 1;
    }
  }

  #move(from: Map<string, string>, to: Map<string, string>): void {
    if (from.size === 0) return;
    const key = this.#random.pick([...from.keys()]);
    const address = from.get(key) ?? '';
    to.set(key, address);
    this.#tell(address, to === this.#segment ? 'enters' : 'leaves');
    from.delete(key);
  }

  #tell(address: string, what: string): void {
    const story = this.#story.get(address) ?? [];
    this.#story.set(address, [...story, `${this.#hour} ${what}`]);
  }

  #fault(): Fault {
    // A join stays broken for two runs: grace alone would not help.
    if (this.#lasts) {
      this.#lasts = false;
      return 'broken_join';
    }
    const dice = this.#random.next();
    if (dice < 0.06) return 'late_load';
    if (dice < 0.09) {
      this.#lasts = true;
      return 'broken_join';
    }
    if (dice < 0.11) return 'everybody';
    return dice < 0.13 ? 'double_keys' : 'none';
  }

  /** The source as a run reads it. */
  #sourceWith(fault: Fault): Map<string, string> {
    const rows = [...this.#segment];
    switch (fault) {
      case 'none':
      case 'double_keys':
        return new Map(rows);
      case 'late_load':
        return new Map(rows.filter(() => !this.#random.chance(0.1)));
      case 'broken_join':
        return new Map(rows.slice(0, Math.ceil(rows.length / 2)));
      case 'everybody':
        return new Map([...rows, ...this.#outside]);
    }
  }

  async #write(source: ReadonlyMap<string, string>, twice: readonly string[] = []): Promise<void> {
    await this.#program.has(...[...source].map(([key, address]) => `${key},${address},`), ...twice);
  }

  async #run(fault: Fault, hour: number, isBaseline: boolean): Promise<void> {
    const { harness, settings } = this;
    const source = this.#sourceWith(fault);
    const [first] = source;
    const twice =
      fault === 'double_keys' && first !== undefined ? [`${first[0]},x@life.test,`] : [];
    await this.#write(source, twice);
    const { activations } = harness.consentry;
    const { name } = this.#program;
    const before = (await activations.status(name)).runs[0]?.id ?? null;
    const running = nextRun(harness, name, before, WAITING);
    const disturbed = await this.#disturb();
    await running;
    let [run] = (await activations.status(name)).runs;
    // Everybody of a large segment enters in its first run, which somebody has to agree to.
    if (run?.state === 'braked' && isBaseline) {
      await activations.approve(name);
      await harness.client.workflow.getHandle(run.workflowId ?? '').result();
      [run] = (await activations.status(name)).runs;
    }
    if (run?.state === 'braked') {
      this.#count.braked += 1;
      await activations.reject(name);
      await untilAnswerable(harness, name, before, WAITING);
      [run] = (await activations.status(name)).runs;
    } else if (run?.state === 'failed') {
      this.#count.failed += 1;
      await activations.setPaused(name, false);
    } else {
      if (twice.length > 0) throw new Error('A run with one key twice was not refused.');
      this.#model.runs(source, hour, isBaseline);
    }
    const workflowId = run?.workflowId ?? null;
    if (workflowId !== null) {
      await harness.client.workflow
        .getHandle(workflowId)
        .result()
        .catch(() => undefined);
    }
    this.#runs += 1;
    settings.onHour?.(hour, `${fault}: ${run?.state ?? ''}${disturbed}`);
  }

  /** What happens to the worker while a run is going on. */
  async #disturb(): Promise<'' | ', worker restarted' | ', worker killed'> {
    const { worker } = this.settings;
    const dice = this.#random.next();
    const afterMs = this.#random.below(KILLED_WITHIN_MS);
    if (dice < 0.03) {
      await worker.restart();
      this.#count.restarts += 1;
      return ', worker restarted';
    }
    if (dice >= 0.05 || worker.kill === null) return '';
    await delay(afterMs);
    await worker.kill();
    this.#count.kills += 1;
    return ', worker killed';
  }

  /** An hour passes at Klaviyo, and for the ledger. */
  async #pass(): Promise<void> {
    this.harness.sandbox.account.pass(HOUR_MS);
    await this.#query(`update consentry.segment_part
      set tried_at = tried_at - interval '1 hour', since = since - interval '1 hour'`);
    await this.#query(
      `update consentry.account_feed set read_at = read_at - interval '1 hour', whole_since = whole_since - interval '1 hour'`,
    );
  }

  async #apply(): Promise<void> {
    const loaded = await this.#program.load();
    const { activations } = this.harness.consentry;
    for (const change of await activations.changes(loaded)) {
      await activations.apply(loaded, change, { timing: SOON_OVER });
    }
    // What was remembered of people is as old as the ledger's clock says, which no hour has passed for.
    await this.#query(
      `update consentry.segment set activation = jsonb_set(activation, '{migration,mirror}', '"off"')`,
    );
  }

  async #loseLedger(hour: number): Promise<void> {
    this.#count.lostLedgers += 1;
    await this.#query(`delete from consentry.segment`);
    await this.#query(`delete from consentry.run`);
    this.#model.losesLedger();
    await this.#apply();
    await this.#run('none', hour, true);
  }

  async #query(text: string): Promise<void> {
    await this.harness.ledger.pool.query(text);
  }

  #storyOf(address: string): string {
    return `: ${(this.#story.get(address) ?? ['nothing happened']).join(', ')}`;
  }

  #differences(): string[] {
    const found: string[] = [];
    for (const [email, expected] of this.#model.addresses) {
      const truth = this.harness.sandbox.account.truthFor({ email });
      const shown = truth?.subscriptions.email.marketing.consent ?? 'none';
      const consent = CONSENTS[shown] ?? shown;
      if (consent !== expected.consent) {
        found.push(
          `${email} is ${consent}, and should be ${expected.consent}${this.#storyOf(email)}`,
        );
      }
      const onList = truth?.lists.some(({ id }) => id === SINGLE) ?? false;
      // Whether somebody who opted out is on a list decides nothing, and is Klaviyo's affair.
      if (expected.consent !== 'unsubscribed' && onList !== expected.onList) {
        found.push(`${email} is ${onList ? '' : 'not '}on the list${this.#storyOf(email)}`);
      }
    }
    return found;
  }
}

const CONSENTS: Readonly<Record<string, Consent>> = {
  SUBSCRIBED: 'subscribed',
  UNSUBSCRIBED: 'unsubscribed',
  NEVER_SUBSCRIBED: 'never',
  none: 'none',
};
