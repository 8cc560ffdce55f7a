import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changeRow, countChanges, stateAfter } from '../../../src/cli/report/change-rows.js';
import { renderChanges } from '../../../src/cli/render/changes.js';
import type { Transition } from '../../../src/ledger/index.js';
import { readsOf } from '../../../src/starter/migrations/report.js';
import { reportedPart } from '../../support/reports.js';

describe('the state after a run', () => {
  for (const [operation, outcome, consentAfter, after] of [
    ['subscribe', 'confirmed', 'SUBSCRIBED', 'SUBSCRIBED'],
    ['subscribe', 'confirmed', null, 'SUBSCRIBED'],
    ['unsubscribe', 'confirmed', null, 'UNSUBSCRIBED'],
    ['suppress', 'confirmed', 'SUBSCRIBED', 'SUPPRESSED'],
    ['add_to_list', 'list_only', 'NEVER_SUBSCRIBED', 'ON_LIST'],
    ['subscribe', 'pending_double_opt_in', 'NEVER_SUBSCRIBED', 'pending_double_opt_in'],
    ['subscribe', 'unconfirmed', null, 'unconfirmed'],
    ['subscribe', null, null, 'open'],
  ] as const) {
    it(`is ${after} for ${operation}, ${String(outcome)}, read as ${String(consentAfter)}`, () => {
      assert.equal(stateAfter({ operation, outcome, consentAfter }), after);
    });
  }
});

const transition: Transition = {
  channel: 'email',
  operation: 'subscribe',
  before: null,
  outcome: 'confirmed',
  consentAfter: 'SUBSCRIBED',
  parts: 2,
};

describe('changes', () => {
  const counts = countChanges([
    transition,
    { ...transition, consentAfter: null, parts: 3 },
    { ...transition, before: 'NEVER_SUBSCRIBED', parts: 70 },
  ]);

  it('are counted by what was before and what is after', () => {
    assert.deepEqual(counts, [
      { channel: 'email', before: null, after: 'SUBSCRIBED', rows: 5 },
      { channel: 'email', before: 'NEVER_SUBSCRIBED', after: 'SUBSCRIBED', rows: 70 },
    ]);
  });

  it('are shown person by person first, then in counts', () => {
    const lines = renderChanges(
      [
        reportedPart(),
        reportedPart({
          line: 3,
          email: null,
          phoneNumber: '+12015550123',
          channel: 'sms',
          consentBefore: null,
        }),
      ],
      counts,
    )
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    assert.ok(
      lines.includes('2 | ada@example.com | email | NEVER_SUBSCRIBED | SUBSCRIBED'),
      lines.join('\n'),
    );
    assert.ok(lines.includes('3 | +12015550123 | sms | (nothing) | SUBSCRIBED'), lines.join('\n'));
    assert.ok(
      lines.includes('and 73 more lines: --csv and --ndjson have them all'),
      lines.join('\n'),
    );
    assert.equal(lines.at(-1), 'email | NEVER_SUBSCRIBED | SUBSCRIBED | 70');
  });

  it('are none where nothing was sent', () => {
    assert.equal(renderChanges([], []), 'Nothing was sent to Klaviyo: nobody was changed.');
  });

  it('have before, after, when it was read and the call in every line', () => {
    const { before, after, read_at, request_id } = changeRow(reportedPart());
    assert.deepEqual(
      [before, after, read_at, request_id],
      ['NEVER_SUBSCRIBED', 'SUBSCRIBED', '2026-01-02T03:04:05.000Z', 'r-1'],
    );
  });
});

describe('reads for 1,000 confirmed rows', () => {
  const call = { status: '200', calls: 0, durationMs: 0 };
  it('count the endpoints that read people, whatever they answered', () => {
    const calls = [
      { ...call, endpoint: 'get_profiles', calls: 10 },
      { ...call, endpoint: 'get_profiles', status: '429', calls: 1 },
      { ...call, endpoint: 'get_profiles_for_list', calls: 4 },
      { ...call, endpoint: 'get_events', calls: 2 },
      { ...call, endpoint: 'bulk_subscribe_profiles', calls: 100 },
    ];
    assert.deepEqual(readsOf(calls, 2_000), { calls: 17, perThousandConfirmed: 8.5 });
    assert.deepEqual(readsOf(calls, 0), { calls: 17, perThousandConfirmed: null });
  });
});
