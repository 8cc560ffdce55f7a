import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderOutcomes, renderParts } from '../../../src/cli/render/outcomes.js';
import { nextSteps } from '../../../src/cli/render/next-steps.js';
import { renderPlan } from '../../../src/cli/render/plan.js';
import { renderPreflight } from '../../../src/cli/render/preflight.js';
import { count, counted, duration, percent } from '../../../src/cli/render/quantities.js';
import { renderCalls, renderMigrations, renderReport } from '../../../src/cli/render/report.js';
import type { PartCount, Plan, Preflight } from '../../../src/contracts/migration.js';
import { report } from '../../support/reports.js';

/** Columns without the blanks that align them. */
function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
}

describe('quantities', () => {
  for (const [ms, words] of [
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [3_599_400, '59 min 59 s'],
    [3_600_000, '1 h 00 min'],
    [7_380_000, '2 h 03 min'],
  ] as const) {
    it(`says ${words} for ${ms} milliseconds`, () => assert.equal(duration(ms), words));
  }

  for (const [part, whole, words] of [
    [0, 10, '0.0 %'],
    [1, 100_000, '0.1 %'],
    [99_999, 100_000, '99.9 %'],
    [10, 10, '100 %'],
    [0, 0, '100 %'],
    [1, 3, '33.3 %'],
  ] as const) {
    it(`says ${words} for ${part} of ${whole}`, () => assert.equal(percent(part, whole), words));
  }

  it('groups thousands and knows one from many', () => {
    assert.equal(count(1_234_567), '1,234,567');
    assert.equal(counted(1, 'row'), '1 row');
    assert.equal(counted(0, 'row'), '0 rows');
    assert.equal(counted(2, 'channel of a row', 'channels of rows'), '2 channels of rows');
  });
});

describe('outcome table', () => {
  it('lists outcomes in the order of their rule, what is open, and the sum', () => {
    const text = renderOutcomes(
      { rejected: 10, confirmed: 1_000, pending_double_opt_in: 90 },
      1_200,
    );
    assert.deepEqual(lines(text), [
      'outcome | rows | share',
      '--------------------- | ----- | ------',
      'pending_double_opt_in | 90 | 7.5 %',
      'confirmed | 1,000 | 83.3 %',
      'rejected | 10 | 0.8 %',
      '(still open) | 100 | 8.3 %',
      'all rows | 1,200',
    ]);
  });

  it('has no line for what is open when nothing is', () => {
    assert.doesNotMatch(renderOutcomes({ confirmed: 3 }, 3), /open/);
  });

  it('aligns numbers to the right', () => {
    const rows = renderOutcomes({ confirmed: 5, rejected: 1_000 }, 1_005).split('\n');
    const ends = rows.slice(2).map((row) => row.search(/\d(?= |$)/));
    assert.equal(new Set(ends).size, 1, rows.join('\n'));
  });

  it('lists channels by outcome and reason', () => {
    const text = renderParts([
      { channel: 'sms', outcome: 'rejected', reason: 'phone_invalid', parts: 12 },
      { channel: 'email', outcome: 'confirmed', reason: null, parts: 1_500 },
    ]);
    assert.deepEqual(lines(text).slice(2), [
      'sms | rejected | phone_invalid | 12',
      'email | confirmed | 1,500',
    ]);
    assert.equal(renderParts([]), 'Nothing has an outcome yet.');
  });
});

const JOBS = { rowsPerJob: 400, settleWithinMs: 900_000, canary: false };
const PLAN: Plan = {
  rows: 2_000,
  jobs: [
    { ...JOBS, firstJob: 1, jobs: 1, operation: 'add_to_list', rows: 40 },
    { ...JOBS, firstJob: 2, jobs: 3, operation: 'subscribe', rows: 1_000 },
  ],
  settledBefore: [
    { channel: 'email', outcome: 'already_consented', reason: null, parts: 7 },
    { channel: 'email', outcome: 'rejected', reason: 'duplicate_email', parts: 5 },
    { channel: 'email', outcome: 'rejected', reason: 'email_invalid', parts: 3 },
    { channel: 'email', outcome: 'skipped_opted_out', reason: 'suppressed', parts: 18 },
  ],
  toSend: [
    { channel: 'list', operation: 'add_to_list', parts: 40, expected: 'list_only' },
    {
      channel: 'email',
      operation: 'subscribe',
      parts: 1_000,
      expected: 'pending_double_opt_in',
    },
  ],
  calls: { bulk_unsubscribe_profiles: 0, bulk_subscribe_profiles: 1 },
  doubleOptInMessages: 1_000,
  askedAlready: 0,
  madeReachable: { subscribed: 0, neverSubscribed: 0 },
  leaveBothTexts: 0,
  isUndo: false,
  sharedDates: [],
  notes: [],
  atLeastMs: 1_000,
};

describe('plan', () => {
  it('counts consent that a refused row stops among the conflicts, not among what was refused', () => {
    const stopped: PartCount = {
      channel: 'sms',
      outcome: 'rejected',
      reason: 'newer_statement_refused',
      parts: 4,
    };
    const text = renderPlan({ ...PLAN, settledBefore: [stopped] });
    const compact = lines(text);
    assert.ok(compact.includes('sms | rejected | newer_statement_refused | 4'), text);
    assert.match(
      text,
      /^Duplicates and conflicts.*a refused row that may be an opt-out stops older/m,
    );
    assert.doesNotMatch(text, /^Refused/m);
  });

  it('says whom it makes reachable, who leaves more than their row says, and what an undo costs', () => {
    assert.doesNotMatch(renderPlan(PLAN), /reachable|both|UNDO/);
    const text = renderPlan({
      ...PLAN,
      toSend: [{ channel: 'email', operation: 'unsubscribe', parts: 12, expected: 'confirmed' }],
      madeReachable: { subscribed: 3, neverSubscribed: 1 },
      leaveBothTexts: 1,
      isUndo: true,
    });
    assert.match(text, /makes 4 people reachable by mail again: 3 subscribed, 1 never subscribed/);
    assert.match(text, /1 person leaves one kind of texts: Klaviyo opts them out of both/);
    assert.match(text, /^\* THIS UNDO UNSUBSCRIBES 12 PEOPLE\. +\*$/m);
    assert.match(text, /A LATER IMPORT WILL SKIP THEM/);
  });

  it('says whose date of consent is that of an upload', () => {
    assert.doesNotMatch(renderPlan(PLAN), /same second/);
    const sharedDates = [{ channel: 'email', at: '2021-03-04T05:06:07Z', parts: 4_120 }] as const;
    assert.match(
      renderPlan({ ...PLAN, sharedDates }),
      /^4,120 rows have the same second as their date of consent to email, 2021-03-04T05:06:07Z: .*--consented-at/m,
    );
    // As a plan of an earlier version is stored.
    const { sharedDates: _dates, notes: _notes, ...earlier } = PLAN;
    assert.equal(renderPlan(earlier as typeof PLAN), renderPlan(PLAN));
  });

  it('counts what was noticed in the source', () => {
    assert.doesNotMatch(renderPlan(PLAN), /Noticed/);
    const notes = [{ channel: 'email', note: 'consent_not_recorded', parts: 1_200 }] as const;
    const compact = lines(renderPlan({ ...PLAN, notes }));
    assert.ok(compact.includes('email | consent_not_recorded | 1,200'), compact.join('\n'));
  });

  it('says what ends, what is sent, how many calls, and whom Klaviyo writes to', () => {
    const text = renderPlan(PLAN);
    const compact = lines(text);
    assert.equal(compact[0], 'Plan for 2,000 rows');
    assert.ok(compact.includes('email | skipped_opted_out | suppressed | 18'), text);
    assert.ok(compact.includes('To be sent, in 4 jobs:'), text);
    const after = (heading: RegExp) => compact.slice(compact.findIndex((l) => heading.test(l)))[3];
    assert.equal(after(/^Skipped by the guard/), 'email | skipped_opted_out | suppressed | 18');
    assert.equal(after(/^True already/), 'email | already_consented | 7');
    assert.equal(after(/^Duplicates and conflicts/), 'email | rejected | duplicate_email | 5');
    assert.equal(after(/^Refused/), 'email | rejected | email_invalid | 3');
    assert.ok(compact.includes('list | added to the list only | 40 | list_only'), text);
    assert.ok(
      compact.includes(
        'email | subscribe | 1,000 | pending_double_opt_in, confirmed with the click',
      ),
      text,
    );
    assert.match(text, /at least \(1\.0 s at the account's limits/);
    assert.ok(compact.includes('bulk_subscribe_profiles | 1'), text);
    assert.doesNotMatch(text, /bulk_unsubscribe_profiles/);
    assert.match(text, /Klaviyo sends 1,000 double opt-in messages/);
  });

  it('says that nobody is written to', () => {
    assert.match(renderPlan({ ...PLAN, doubleOptInMessages: 0 }), /sends no double opt-in message/);
  });

  it('says which rows go first, and what follows', () => {
    assert.match(
      renderPlan(PLAN, { rows: 5, thenWaitMs: null }),
      /The first 5 rows go alone, to their end; the rest is not sent\./,
    );
    assert.match(
      renderPlan(PLAN, { rows: 1, thenWaitMs: 900_000 }),
      /The first 1 row goes alone; the rest follows 15 min 00 s after their end/,
    );
  });

  it('says of a few calls that they take less than a second', () => {
    assert.match(renderPlan({ ...PLAN, atLeastMs: 0 }), /at least \(less than a second at/);
  });

  it('ends with what is over when nothing is left to send', () => {
    const text = renderPlan({ ...PLAN, jobs: [], toSend: [] });
    assert.match(text, /Nothing is left to send\.$/);
    assert.doesNotMatch(text, /Calls/);
  });
});

describe('preflight', () => {
  const preflight: Preflight = {
    accountId: 'AbC123',
    list: { id: 'XyZ987', optInProcess: 'double_opt_in' },
    optInProcess: 'double_opt_in',
    sms: { source: 'api', countries: ['CA', 'US'] },
    flows: [{ id: 'F1', name: 'Welcome', status: 'live' }],
    access: [
      { endpoint: 'get_profiles', scopes: ['profiles:read'], allowed: true },
      { endpoint: 'get_events', scopes: ['events:read'], allowed: false },
      {
        endpoint: 'bulk_subscribe_profiles',
        scopes: ['profiles:write', 'subscriptions:write'],
        allowed: null,
      },
    ],
    limits: [
      { endpoint: 'get_profiles', burst: 75, steady: 750, remaining: 74, windowSeconds: 1 },
      { endpoint: 'get_list', burst: 75, steady: 750, remaining: 312, windowSeconds: 60 },
      { endpoint: 'get_accounts', burst: 1, steady: 15, remaining: null, windowSeconds: null },
    ],
    warnings: ['Klaviyo asks everybody.'],
  };
  it('says what was found, and the warnings', () => {
    assert.equal(
      renderPreflight(preflight),
      [
        'Account:        AbC123',
        'Key may:        profiles:read',
        'Key may not:    events:read',
        'Key must also:  profiles:write, subscriptions:write (not tried: they write)',
        'List:           XyZ987',
        'Opt-in process: double_opt_in',
        'Flows:          Welcome (live)',
        'SMS:            senders, read from the account: CA, US',
        'Limits:         get_profiles: 75 calls per second, 750 per minute; 74 left this second',
        '                get_list: 75 calls per second, 750 per minute; 312 left this minute',
        '                get_accounts: 1 call per second, 15 per minute',
        'Warning: Klaviyo asks everybody.',
      ].join('\n'),
    );
  });

  it('says of a scope to read that it was not tried, and not that it writes', () => {
    const access = [{ endpoint: 'get_events', scopes: ['events:read'], allowed: null }];
    const text = renderPreflight({ ...preflight, access });
    assert.match(text, /^Key should: +events:read \(not tried yet\)$/m);
    assert.doesNotMatch(text, /they write/);
  });

  it('tells a declared process from one that was read', () => {
    const text = renderPreflight({
      ...preflight,
      list: null,
      optInProcess: 'single_opt_in',
      sms: { source: 'not_needed', countries: [] },
      warnings: [],
    });
    assert.match(text, /^List: +none$/m);
    assert.match(text, /single_opt_in \(from --opt-in\)$/m);
    assert.match(text, /^SMS: +not asked for$/m);
  });
});

describe('report', () => {
  const ended = report({
    phase: 'failed',
    failure: 'The list is gone.',
    rows: 10,
    outcomes: { confirmed: 4, cancelled: 6 },
    parts: [{ channel: 'email', outcome: 'confirmed', reason: null, parts: 4 }],
    calls: [{ endpoint: 'get_profiles', status: '200', calls: 4, durationMs: 100 }],
    times: {
      createdAt: '2026-01-02T03:04:05.000Z',
      finishedAt: '2026-01-02T03:04:15.000Z',
      durationMs: 10_000,
    },
  });

  it('says what it was, how it ended and why it stopped', () => {
    const text = renderReport(ended);
    assert.match(text, /^Migration 20260102-1a2b3c4d: stopped$/m);
    assert.match(text, /^Source: people\.csv \(generic\)$/m);
    assert.match(text, /^Started 2026-01-02T03:04:05\.000Z, took 10\.0 s$/m);
    assert.match(text, /^Stopped: The list is gone\.$/m);
  });

  it('says that a paused run is paused, and for how long it runs', () => {
    const times = { ...ended.times, finishedAt: null };
    const text = renderReport({ ...ended, phase: 'submit', paused: true, failure: null, times });
    assert.match(text, /: submitting \(paused\)$/m);
    assert.match(text, /running for 10\.0 s$/m);
  });

  it('says what can be done after it', () => {
    const { id, parts } = ended;
    const outcomes = { pending_double_opt_in: 1, unconfirmed: 2, cancelled: 7 };
    const pilot = {
      channel: 'email',
      outcome: 'cancelled',
      reason: 'not_in_pilot',
      parts: 7,
    } as const;
    const [steps = ''] = nextSteps({ ...ended, outcomes, parts: [...parts, pilot] });
    assert.deepEqual(steps.split('\n'), [
      `1 row waits for a click. See later clicks: consentry status ${id}`,
      `2 rows were accepted but not read back. Try again: consentry retry-failed ${id}`,
      `The pilot has ended; nothing else was sent. Send the rest: consentry retry-failed ${id}`,
    ]);
    assert.deepEqual(nextSteps(ended), []);
  });

  it('lists calls with their mean time', () => {
    assert.deepEqual(lines(renderCalls(ended.calls)).slice(2), ['get_profiles | 200 | 4 | 25 ms']);
    assert.equal(renderCalls([]), 'No calls to Klaviyo yet.');
  });

  it('lists migrations, and says when there is none', () => {
    const text = renderMigrations([
      {
        id: 'a',
        sourceName: 'one.csv',
        phase: 'done',
        createdAt: new Date('2026-01-02T03:04:05Z'),
        finishedAt: new Date('2026-01-02T03:05:05Z'),
      },
    ]);
    assert.deepEqual(lines(text).slice(2), [
      'a | one.csv | done | 2026-01-02T03:04:05.000Z | 1 min 00 s',
    ]);
    assert.equal(renderMigrations([]), 'There are no migrations yet.');
  });
});
