import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import type { CallTimes, KlaviyoClient } from '../../src/klaviyo/index.js';
import {
  clientOf,
  empty,
  html,
  json,
  KlaviyoServer,
  profile,
  type Responder,
} from '../support/klaviyo/klaviyo-server.js';

let server: KlaviyoServer;
const clients: KlaviyoClient[] = [];

before(async () => {
  server = await KlaviyoServer.start();
});

after(async () => {
  for (const client of clients) await client.close();
  await server.stop();
});

function client(): KlaviyoClient {
  const made = clientOf(server, { patience: { retryMs: 1 } });
  clients.push(made);
  return made;
}

/** A clock that is years away from this machine's, to the second. */
const KLAVIYO = Date.UTC(2031, 0, 2, 3, 4, 5);
const date = new Date(KLAVIYO).toUTCString();

/** More than the second that a date is short of, and the tolerance. */
const LATE_MS = 1_700;

const undated =
  (responder: Responder): Responder =>
  (received, response) => {
    response.sendDate = false;
    responder(received, response);
  };

/** Collects what `onAnswer` is told. */
function timesOf(work: (onAnswer: (times: CallTimes | null) => void) => Promise<unknown>) {
  const told: (CallTimes | null)[] = [];
  return work((times) => told.push(times)).then(() => told);
}

const lookUp = (of: KlaviyoClient) => (onAnswer: (times: CallTimes | null) => void) =>
  of.lookUpProfiles({ by: 'email', values: ['ada@example.com'] }, { onAnswer });

function isAboutKlaviyos(time: Date | null | undefined): boolean {
  return time instanceof Date && Math.abs(time.getTime() - KLAVIYO) < 60_000;
}

describe('Klaviyo’s time', () => {
  it('is known from the first answer on, whatever the clock of this machine says', async () => {
    const asked = client();
    server.answer(json(200, { data: [] }, { date }));
    assert.equal(asked.now(), null);
    await asked.listMetrics();
    const before = asked.now();
    const wrong = mock.method(Date, 'now', () => 0);
    try {
      const now = asked.now();
      assert.ok(isAboutKlaviyos(now?.earliest) && isAboutKlaviyos(now?.latest));
      assert.ok(before !== null && now !== null && now.earliest < now.latest);
      const passed = now.earliest.getTime() - before.earliest.getTime();
      assert.ok(passed >= -1 && passed < 5_000, `${passed} ms`);
    } finally {
      wrong.mock.restore();
    }
  });

  it('of each call is told with its answer, before and after', async () => {
    const asked = client();
    const links = { next: `${server.url}/api/profiles?page%5Bcursor%5D=c2` };
    server.answer(json(200, { data: [profile('01')], links }, { date }), (received, response) =>
      setTimeout(() => json(200, { data: [] }, { date })(received, response), 50),
    );
    const told = await timesOf(lookUp(asked));
    assert.equal(told.length, 2);
    for (const times of told) {
      assert.ok(times !== null);
      assert.ok(isAboutKlaviyos(times.sentAt.earliest) && isAboutKlaviyos(times.answeredAt.latest));
      assert.ok(times.sentAt.earliest <= times.answeredAt.earliest);
      assert.ok(times.sentAt.latest <= times.answeredAt.latest);
    }
    const [, second] = told;
    const took = second!.answeredAt.latest.getTime() - second!.sentAt.latest.getTime();
    assert.ok(took >= 49, `${took} ms`);
  });

  it('of tries that failed is not told', async () => {
    server.answer(html(502), json(200, { data: [] }, { date }));
    assert.equal((await timesOf(lookUp(client()))).length, 1);
  });

  it('of every page of members, events and the suppressed is told', async () => {
    const asked = client();
    server.answer(json(200, { data: [] }, { date }));
    const since = '2026-07-01T00:00:00Z';
    for (const read of [
      lookUp(asked),
      (onAnswer) =>
        asked.lookUpMembers(
          { listId: 'LIST01', by: 'email', values: ['ada@example.com'] },
          { onAnswer },
        ),
      (onAnswer) => asked.listMembers({ listId: 'LIST01', joinedSince: null }, { onAnswer }),
      (onAnswer) => asked.listEvents({ metricId: 'M1', since }, { onAnswer }),
      (onAnswer) => asked.listSuppressed({ since }, { onAnswer }),
      (onAnswer) => asked.listSuppressedOnList({ listId: 'LIST01', since }, { onAnswer }),
    ] satisfies Parameters<typeof timesOf>[0][]) {
      const [times, ...more] = await timesOf(read);
      assert.ok(isAboutKlaviyos(times?.sentAt.earliest));
      assert.deepEqual(more, []);
    }
  });

  it('is not told by the page of a proxy', async () => {
    const asked = client();
    server.answer(
      (_request, response) => {
        response.writeHead(502, { 'content-type': 'text/html', date: new Date(0).toUTCString() });
        response.end('<html></html>');
      },
      json(200, { data: [] }, { date }),
      json(200, { data: [] }, { date }),
    );
    await lookUp(asked)(() => undefined);
    assert.ok(isAboutKlaviyos(asked.now()?.earliest));

    const lost = client();
    server.answer((_request, response) => {
      response.writeHead(403, { 'content-type': 'text/html', date });
      response.end('<html></html>');
    });
    await assert.rejects(lost.listMetrics());
    assert.equal(lost.now(), null);
  });

  it('is told by refusals too', async () => {
    const asked = client();
    server.answer(json(400, { errors: [] }, { date }));
    await assert.rejects(asked.listMetrics());
    assert.ok(isAboutKlaviyos(asked.now()?.latest));
  });

  it('is null where no answer has a date', async () => {
    const asked = client();
    server.answer(undated(json(200, { data: [] })));
    assert.deepEqual(await timesOf(lookUp(asked)), [null]);
    server.answer(undated(empty(202)));
    const accepted = await asked.unsubscribeProfiles({
      listId: null,
      profiles: [{ email: 'ada@example.com', channels: ['email'] }],
    });
    assert.equal(accepted.sentAt, null);
    assert.equal(asked.now(), null);
  });

  const late =
    (responder: Responder): Responder =>
    (received, response) =>
      setTimeout(() => responder(received, response), LATE_MS);
  const people = [{ email: 'ada@example.com', channels: ['email'] as const }];

  it('of an accepted write is that of its first byte, however late its answer is made', async () => {
    const asked = client();
    server.answer(late(empty(202, { date: new Date(KLAVIYO + 2_000).toUTCString() })));
    const { sentAt } = await asked.unsubscribeProfiles({ listId: null, profiles: people });
    assert.ok(isAboutKlaviyos(sentAt) && sentAt!.getTime() < KLAVIYO, String(sentAt));
  });

  it('is not behind by what an answer took on its way back', async () => {
    const asked = client();
    server.answer(late(json(200, { data: [] }, { date })));
    await asked.listMetrics();
    assert.ok(asked.now()!.latest.getTime() >= KLAVIYO + LATE_MS, String(asked.now()?.latest));
  });

  it('of accepted jobs is told too', async () => {
    const asked = client();
    server.answer(json(202, { data: { id: 'JOB01' } }, { date }));
    assert.ok(isAboutKlaviyos((await asked.suppressProfiles(['ada@example.com'])).sentAt));
    const request = { listId: 'LIST01', profiles: [{ email: 'ada@example.com' }] };
    const [times, ...more] = await timesOf((onAnswer) =>
      asked.importProfiles(request, { onAnswer }),
    );
    assert.ok(isAboutKlaviyos(times?.sentAt.earliest));
    assert.deepEqual(more, []);
  });
});
