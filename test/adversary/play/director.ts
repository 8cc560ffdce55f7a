import { setTimeout as delay } from 'node:timers/promises';
import type { RequestMoment } from 'klaviyo-sandbox';
import type { Consentry } from '../../../src/starter/consentry.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import { LISTS, type StagedAccount } from './account.js';
import type { Identity, RunChronicle, Said } from '../chronicle.js';
import type { Act, Move, PersonAct, RunAct, Scenario } from '../scenarios/scenario.js';
import type { StagedWorker } from './workers.js';

export type StagedRun = Pick<RunChronicle, 'id' | 'spec' | 'customSource' | 'startedAt'> & {
  cancelledAt: number | null;
};

interface Stage {
  readonly consentry: Consentry;
  readonly account: StagedAccount;
  readonly worker: StagedWorker;
}

/** Lets happen what a scenario says, between the calls that it names. */
export class Director {
  readonly #runs = new Map<number, StagedRun>();
  readonly #said: Said[] = [];
  /** Moves that wait for a call. */
  readonly #left: Move[];
  readonly #timed: Move[];
  readonly #later = new Set<NodeJS.Timeout>();
  readonly #going = new Set<Promise<void>>();
  #stage: Stage | null = null;
  /** Calls before the first run started: a worker proves its key. */
  #callsBefore = 0;
  #calls = 0;
  #submits = 0;
  #lastCallAt = Date.now();
  #isDisturbed = false;
  #killAtCall: number | null;
  #failure: Error | null = null;

  constructor(scenario: Scenario) {
    this.#left = scenario.moves.filter(({ cue }) => cue.at !== 'time');
    this.#timed = scenario.moves.filter(({ cue }) => cue.at === 'time');
    this.#killAtCall = scenario.killAtCall;
  }

  begin(stage: Stage): void {
    this.#stage = stage;
    this.#callsBefore = this.#calls;
  }

  started(n: number, run: StagedRun): void {
    this.#runs.set(n, run);
    // Before its first call it is not silent, however slow the machine.
    this.#lastCallAt = Infinity;
    for (const { cue, act } of this.#timed.splice(0)) {
      if (cue.at === 'time') this.#in(cue.ms, act);
    }
  }

  runs(): StagedRun[] {
    return [...this.#runs].sort(([a], [b]) => a - b).map(([, run]) => run);
  }

  said(): readonly Said[] {
    return this.#said;
  }

  /** A worker ended, or a key was refused, in the middle. */
  disturbed(): boolean {
    return this.#isDisturbed;
  }

  async onRequest({ operation, moment, number }: RequestMoment): Promise<void> {
    if (moment === 'before') {
      this.#calls = Math.max(this.#calls, number);
      if (operation === 'bulk_subscribe_profiles') this.#submits += 1;
    }
    this.#lastCallAt = Date.now();
    if (this.#stage === null) return;
    const call = number - this.#callsBefore;
    if (this.#killAtCall !== null && call >= this.#killAtCall) {
      this.#killAtCall = null;
      this.#isDisturbed = true;
      this.#alongside(this.#stage.worker.kill());
    }
    const isDue = ({ cue }: Move) => {
      if (cue.at === 'time' || cue.moment !== moment) return false;
      if (cue.at === 'call') return cue.number <= call;
      return operation === 'bulk_subscribe_profiles' && cue.number <= this.#submits;
    };
    const due = this.#left.filter(isDue);
    for (const move of due) this.#left.splice(this.#left.indexOf(move), 1);
    for (const { cue, act } of due) {
      if (cue.at === 'submit' && cue.thenMs > 0) this.#in(cue.thenMs, act);
      else await this.#perform(this.#stage, act);
    }
  }

  #in(ms: number, act: Act): void {
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      if (this.#stage !== null) this.#alongside(this.#perform(this.#stage, act));
    }, ms);
    this.#later.add(timer);
  }

  /** Waits until so many calls were made, or for so long. */
  async untilCall(call: number, withinMs: number): Promise<void> {
    const until = Date.now() + withinMs;
    while (this.#calls - this.#callsBefore < call && Date.now() < until) await delay(20);
  }

  /** Waits until every move was made, or none can come any more as no call is made. */
  async untilOver(withinMs: number): Promise<void> {
    const until = Date.now() + withinMs;
    const isSilent = () => Date.now() - this.#lastCallAt > 2_000;
    const isOver = () => this.#left.length === 0 || isSilent();
    while ((this.#later.size > 0 || !isOver()) && Date.now() < until) await delay(20);
  }

  /** Takes away whatever keeps a run from its end. */
  async calm(): Promise<void> {
    if (this.#stage === null) return;
    const { account, consentry } = this.#stage;
    this.#left.length = 0;
    for (const timer of this.#later) clearTimeout(timer);
    this.#later.clear();
    this.#killAtCall = null;
    account.sandbox.account.clearFaults();
    await Promise.all(this.#going);
    if (this.#failure !== null) throw this.#failure;
    for (const { id } of this.#runs.values()) {
      if ((await consentry.migrations.progress(id)).paused)
        await ended(consentry.migrations.resume(id));
      await this.#approve(consentry, id);
    }
  }

  async #approve(consentry: Consentry, id: string): Promise<void> {
    const { phase } = await consentry.migrations.progress(id);
    if (phase === 'approval') await ended(consentry.migrations.approve(id));
  }

  #alongside(work: Promise<void>): void {
    const going = work
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => this.#going.delete(going));
    this.#going.add(going);
  }

  async #perform(stage: Stage, act: Act): Promise<void> {
    switch (act.do) {
      case 'pause':
      case 'resume':
      case 'approve':
      case 'cancel':
      case 'pause_and_cancel':
        await this.#steer(stage.consentry, act.do, act.run);
        return;
      case 'pause_for':
        await this.#steer(stage.consentry, 'pause', act.run);
        this.#in(100, act.meanwhile);
        this.#in(act.ms, { do: act.then, run: act.run });
        return;
      case 'restart_worker':
        this.#isDisturbed = true;
        // Not awaited: the worker waits for the answer to this very call.
        this.#alongside(stage.worker.restart());
        return;
      case 'revoke_key':
        this.#isDisturbed = true;
        stage.account.sandbox.account.keyRevoked = true;
        return;
      case 'restore_key':
        stage.account.sandbox.account.keyRevoked = false;
        return;
      default: {
        const who = stage.account.people[act.person];
        if (who !== undefined) this.#live(stage.account, act, who);
      }
    }
  }

  async #steer(consentry: Consentry, what: RunAct['do'], n: number): Promise<void> {
    const run = this.#runs.get(n);
    if (run === undefined) return;
    const cancel = async () => {
      await consentry.migrations.cancel(run.id);
      run.cancelledAt ??= Date.now();
    };
    switch (what) {
      case 'cancel':
        return ended(cancel());
      case 'pause_and_cancel':
        await ended(Promise.all([consentry.migrations.pause(run.id), cancel()]));
        return;
      case 'approve': {
        // Not awaited: the worker that answers may be waiting for this very call.
        this.#alongside(this.#approve(consentry, run.id));
        return;
      }
      default:
        await ended(consentry.migrations[what](run.id));
    }
  }

  /** What people do, and what is done to them. */
  #live({ sandbox: { account } }: StagedAccount, act: PersonAct, { email, phone }: Identity): void {
    const texts = phone === null ? {} : { phone_number: phone };
    switch (act.do) {
      case 'unsubscribe':
        return possibly(() => account.unsubscribe({ email }));
      case 'leave_list':
        for (const list_id of Object.values(LISTS)) {
          possibly(() => account.unsubscribe({ email, list_id }));
        }
        return;
      case 'complain':
        return possibly(() => account.complain({ email }));
      case 'stop':
        return possibly(() => account.stopSms(texts));
      case 'suppress':
        return possibly(() => account.suppress({ email, surfaces_after_ms: act.surfacesAfterMs }));
      case 'form':
        // One call each: somebody with two profiles is not merged by a form.
        possibly(() => {
          account.subscribe({ email, list_id: LISTS.single });
          this.#yes('email', email);
        });
        if (phone === null) return;
        possibly(() => {
          account.subscribe(texts);
          this.#yes('sms', phone);
        });
        return;
      case 'join_and_leave':
        possibly(() => {
          // Both come within a millisecond, in this order.
          const at = Date.now() - 1;
          account.subscribe({ email, list_id: LISTS.single });
          this.#yes('email', email, { at });
          account.unsubscribe({ email, list_id: LISTS.single });
        });
        return;
      case 'click':
        if (account.click({ email, ...texts }) === 0) return;
        this.#yes('email', email, { byClick: true });
        if (phone !== null) this.#yes('sms', phone, { byClick: true });
    }
  }

  #yes(
    channel: Said['channel'],
    identifier: string,
    { byClick = false, at = Date.now() }: { byClick?: boolean; at?: number } = {},
  ): void {
    this.#said.push({ account: 0, channel, identifier, at, byClick });
  }
}

/** The control surface refuses what cannot be, such as an opt-out of somebody without a profile. */
function possibly(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** A run that has ended cannot be steered any more. */
async function ended(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof MigrationStoppedError)) throw error;
  }
}
