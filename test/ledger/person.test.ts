import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { PersonConsent } from '../../src/contracts/person.js';
import {
  answerAboutPerson,
  answerSubmission,
  askAboutPerson,
  assignJobs,
  personAskedAbout,
  personHistory,
  settleParts,
  storeConsentBefore,
  takePersonAnswer,
  type Ledger,
} from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { ACCOUNT, openTestLedger, send, store } from '../support/ledger.js';

const ADA = { by: 'email', value: 'ada@example.com' } as const;
const ANSWER: PersonConsent = { readAt: '2026-01-02T03:04:05.000Z', profiles: [] };

describe('what the ledger knows of a person', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const ask = (id: string) => askAboutPerson(ledger.db, { id, accountId: ACCOUNT, person: ADA });

  describe('a question', () => {
    it('is kept for a worker, and is gone with its answer', async () => {
      await ask('q1');
      assert.deepEqual(await personAskedAbout(ledger.db, 'q1'), ADA);
      await answerAboutPerson(ledger.db, 'q1', ANSWER);
      assert.deepEqual(await takePersonAnswer(ledger.db, 'q1'), ANSWER);
      assert.equal(await personAskedAbout(ledger.db, 'q1'), null);
      assert.equal(await takePersonAnswer(ledger.db, 'q1'), null);
    });

    it('that was forgotten is not answered into the ledger again', async () => {
      await answerAboutPerson(ledger.db, 'gone', ANSWER);
      assert.equal(await takePersonAnswer(ledger.db, 'gone'), null);
    });

    it('that nobody fetched is deleted after an hour, by the next one', async () => {
      for (const [id, age] of [
        ['old', '61 minutes'],
        ['young', '59 minutes'],
      ] as const) {
        await ask(id);
        await sql`update consentry.person_request set created_at = now() - ${age}::interval
          where id = ${id}`.execute(ledger.db);
      }
      await ask('next');
      assert.equal(await personAskedAbout(ledger.db, 'old'), null);
      assert.deepEqual(await personAskedAbout(ledger.db, 'young'), ADA);
    });
  });

  describe('the history', () => {
    before(async () => {
      const ada = { email: 'ada@example.com', phoneNumber: '+12015550123' };
      await store(
        ledger,
        'first',
        [
          intent({ line: 2, email: 'ben@example.com' }),
          intent({
            ...ada,
            line: 3,
            parts: [
              part({ consentedAt: '2021-03-04T05:06:07Z', note: 'clamped_to_1990' }),
              part({ channel: 'sms', rejected: 'phone_landline' }),
            ],
          }),
        ],
        { customSource: 'first source', historicalImport: true },
      );
      await store(
        ledger,
        'second',
        [intent({ ...ada, line: 9, parts: [part({ operation: 'unsubscribe' })] })],
        { listId: null, customSource: 'second source' },
      );
      await assignJobs(ledger.db, 'first');
      await storeConsentBefore(
        ledger.db,
        'first',
        [
          {
            rowNumber: 2,
            oneProfile: true,
            parts: [{ channel: 'email', consent: 'NEVER_SUBSCRIBED', at: '2020-01-01T00:00:00Z' }],
          },
        ],
        0,
      );
      const sent = await send(ledger.db, 'first', [{ rowNumber: 2, channel: 'email' }]);
      await answerSubmission(ledger.db, sent, {
        status: 'accepted',
        partialFailure: null,
        requestId: 'request-1',
      });
      await settleParts(ledger.db, 'first', [
        {
          rowNumber: 2,
          channel: 'email',
          outcome: 'confirmed',
          reason: null,
          settledBy: 'list_members',
          read: { consent: 'SUBSCRIBED', at: '2021-03-04T05:06:07Z' },
        },
      ]);
    });

    it('has all channels of all rows of a person, oldest first, with the proof', async () => {
      const history = await personHistory(ledger.db, ADA);
      assert.deepEqual(
        history.map(({ migrationId, line, channel, operation, outcome, reason }) =>
          [migrationId, line, channel, operation, outcome, reason].join(' '),
        ),
        [
          'first 3 email subscribe confirmed ',
          'first 3 sms subscribe rejected phone_landline',
          'second 9 email unsubscribe  ',
        ],
      );
      const [proof, , second] = history;
      assert.ok(proof?.settledAt && proof.readAt && proof.sentAt && proof.startedAt);
      assert.deepEqual(
        { ...proof, settledAt: 0, readAt: 0, sentAt: 0, startedAt: 0 },
        {
          migrationId: 'first',
          startedAt: 0,
          sourceName: 'people.csv',
          preset: 'generic',
          line: 3,
          email: 'ada@example.com',
          phoneNumber: '+12015550123',
          channel: 'email',
          operation: 'subscribe',
          consentedAt: new Date('2021-03-04T05:06:07Z'),
          note: 'clamped_to_1990',
          listId: 'LIST01',
          customSource: 'first source',
          historicalImport: true,
          outcome: 'confirmed',
          reason: null,
          settledBy: 'list_members',
          settledAt: 0,
          consentBefore: 'NEVER_SUBSCRIBED',
          consentBeforeAt: new Date('2020-01-01T00:00:00Z'),
          consentAfter: 'SUBSCRIBED',
          consentAfterAt: new Date('2021-03-04T05:06:07Z'),
          readAt: 0,
          askedAt: null,
          sentAt: 0,
          requestId: 'request-1',
        },
      );
      assert.deepEqual(
        [second?.listId, second?.customSource, second?.historicalImport, second?.sentAt],
        [null, 'second source', false, null],
      );
    });

    it('is found by phone number as well', async () => {
      const history = await personHistory(ledger.db, {
        by: 'phone_number',
        value: '+12015550123',
      });
      assert.equal(history.length, 3);
    });

    it('is empty for a person whom nobody asked anything for', async () => {
      const nobody = { by: 'email', value: 'nobody@example.com' } as const;
      assert.deepEqual(await personHistory(ledger.db, nobody), []);
    });
  });
});
