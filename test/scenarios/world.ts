import assert from 'node:assert/strict';
import type { Sandbox, SandboxOptions, SubscribedLine, Switches, TruthLine } from 'klaviyo-sandbox';
import { reportedParts, type ReportedPart } from '../../src/ledger/index.js';
import { MigrationStoppedError } from '../../src/starter/stopped.js';
import type { Report } from '../../src/starter/migrations/report.js';
import type { MigrationRequest } from '../../src/starter/migrations/request/migration-request.js';
import { SINGLE, startHarness, type Harness } from '../support/harness.js';
import { TEST_TIMING } from '../support/settings.js';
import { outcomesOf } from '../support/outcomes.js';

/** How a migration ended. */
export interface Run {
  readonly id: string;
  /** Reason, else outcome, by `<e-mail or phone> <channel>`. */
  readonly outcomes: Readonly<Record<string, string>>;
  readonly parts: readonly ReportedPart[];
  readonly report: Report;
  /** Why it stopped; null where it went to its end. */
  readonly failure: string | null;
}

/** One account, one ledger and one worker, for the scenarios of a file one after the other. */
export interface World {
  readonly harness: Harness;
  readonly sandbox: Sandbox;
  /** Runs the rows of a CSV (the first line names its columns), or of a file, to the end. */
  migrate(lines: readonly string[] | string, request?: Partial<MigrationRequest>): Promise<Run>;
  /** Answers open questions anew, for all scenarios that follow. */
  turn(switches: Partial<Switches>): void;
  /** The profile of an address or a number. @throws AssertionError where there is none */
  profile(who: string): TruthLine;
  hasProfile(who: string): boolean;
  /** Calls that an operation (`get_profiles`) got so far. */
  calls(operation: string): number;
  close(): Promise<void>;
}

export async function startWorld(sandbox: SandboxOptions = {}): Promise<World> {
  const harness = await startHarness({ sandbox });
  const { account } = harness.sandbox;
  const find = (who: string) =>
    account.truthFor(who.includes('@') ? { email: who } : { phone_number: who });
  let runs = 0;

  return {
    harness,
    sandbox: harness.sandbox,
    turn: (switches) => void Object.assign(account.settings.switches, switches),
    hasProfile: (who) => find(who) !== undefined,
    profile(who) {
      const found = find(who);
      assert.ok(found !== undefined, `${who} has no profile`);
      return found;
    },
    calls(operation) {
      const counts = account.requests().find((line) => line.operation === operation);
      return Object.values(counts?.statuses ?? {}).reduce((sum, times) => sum + times, 0);
    },
    close: () => harness.close(),

    async migrate(lines, asked = {}) {
      runs += 1;
      const file =
        typeof lines === 'string' ? lines : await harness.source(`scenario-${runs}.csv`, lines);
      const timing = { ...TEST_TIMING, ...asked.timing };
      const request = { listId: SINGLE, ...asked, timing, file };
      const before = [...account.truth()];
      const carriedBefore = [...account.subscribed()].length;
      const { id } = await harness.consentry.migrations.start(request);
      let failure: string | null = null;
      try {
        await harness.consentry.migrations.waitForEnd(id);
      } catch (error) {
        if (!(error instanceof MigrationStoppedError)) throw error;
        failure = error.message;
      }
      const parts: ReportedPart[] = [];
      for await (const page of reportedParts(harness.ledger.db, id)) parts.push(...page);
      const carried = [...account.subscribed()].slice(carriedBefore);
      assertPromises(parts, before, carried);
      return {
        id,
        outcomes: await outcomesOf(harness.ledger, id),
        parts,
        report: await harness.consentry.migrations.report(id),
        failure,
      };
    },
  };
}

/** What holds whatever happens: an outcome that was read back, and no opt-out overridden. */
function assertPromises(
  parts: readonly ReportedPart[],
  before: readonly TruthLine[],
  carried: readonly SubscribedLine[],
): void {
  for (const part of parts) {
    const who = `line ${part.line}, ${part.channel}`;
    assert.ok(part.outcome !== null, `${who} has no outcome`);
    if (part.outcome === 'confirmed' || part.outcome === 'already_consented') {
      assert.ok(wasRead(part), `${who} is ${part.outcome}, and nothing was read`);
    }
  }
  const optedOut = new Set(before.flatMap(optOutsOf));
  for (const { email, phone_number, channels } of carried) {
    for (const channel of channels) {
      const who = channel === 'email' ? email : phone_number;
      assert.ok(
        !optedOut.has(`${channel} ${who ?? ''}`),
        `${who ?? ''} had opted out of ${channel}`,
      );
    }
  }
}

/** After the submit; before it, where that left nothing to send; or Klaviyo's own word for it. */
function wasRead({ readAt, settledBy, reason, consentBefore }: ReportedPart): boolean {
  // Of somebody without a profile it was read that there is nothing to lift.
  if (settledBy === 'guard') return consentBefore !== null || reason === 'not_suppressed';
  return readAt !== null || reason === 'backdated_after_subscription';
}

function optOutsOf({ email, phone_number, subscriptions }: TruthLine): string[] {
  const { marketing } = subscriptions.email;
  const optOuts: string[] = [];
  if (
    email !== null &&
    (marketing.consent === 'UNSUBSCRIBED' || marketing.suppression.length > 0)
  ) {
    optOuts.push(`email ${email}`);
  }
  if (phone_number !== null && subscriptions.sms.marketing.consent === 'UNSUBSCRIBED') {
    optOuts.push(`sms ${phone_number}`);
  }
  return optOuts;
}
