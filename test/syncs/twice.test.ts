import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { startSyncWorld, type SyncWorld } from './world.js';

interface Answer {
  readonly data?: readonly Profile[];
}

interface Profile {
  readonly attributes: {
    readonly email?: string | null;
    readonly phone_number?: string | null;
    readonly subscriptions?: Readonly<Record<string, unknown>> | null;
  };
}

type Change = (profile: Profile) => Profile;

const EMAIL = 'ada@example.com';

/** Klaviyo with another profile under the same id, before the one that is there. */
describe('a profile that one answer has twice', () => {
  let world: SyncWorld;
  let server: Server;
  let change: Change | null = null;
  before(async () => {
    world = await startSyncWorld();
    const { harness, sandbox } = world;
    server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const { host: _, 'content-length': __, connection: ___, ...headers } = request.headers;
        const answer = await fetch(`${sandbox.url}${request.url ?? ''}`, {
          method: request.method ?? 'GET',
          headers: headers as Record<string, string>,
          ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
        });
        const text = await answer.text();
        const type = answer.headers.get('content-type') ?? 'application/json';
        const date = answer.headers.get('date');
        response.writeHead(answer.status, { 'content-type': type, ...(date && { date }) });
        response.end(request.url?.startsWith('/api/profiles') === true ? twice(text) : text);
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await harness.stopWorkers();
    const { port } = server.address() as AddressInfo;
    await harness.startWorker({ baseUrl: `http://127.0.0.1:${port}` });
    sandbox.account.seed({ email: EMAIL, email_consent: 'SUBSCRIBED' });
  });
  after(async () => {
    await world.close();
    server.close();
  });

  function twice(text: string): string {
    const answer = JSON.parse(text) as Answer;
    const made = change;
    if (made === null || !Array.isArray(answer.data)) return text;
    const data = (answer.data as readonly Profile[]).flatMap((profile) =>
      profile.attributes.email === EMAIL ? [made(profile), profile] : [profile],
    );
    return JSON.stringify({ ...answer, data });
  }

  /** After the whole account was read: what the destination permits, and whether the mirror knows. */
  async function read(how: Change | null) {
    change = how;
    await world.sync({ full: true });
    const [row] = await world.rows('select * from klaviyo_consent');
    const { rows } = await sql<{ email: string; says_no: boolean; is: string }>`
      select email, says_no, consent->'email'->>'is' as "is" from consentry.profile
      order by profile_id`.execute(world.harness.ledger.db);
    return {
      maySend: row?.['may_send_email_marketing'],
      says: row?.['email_marketing_consent'],
      mirror: rows.map(({ email, says_no: saysNo, is }) => `${email} ${is}${saysNo ? ' no' : ''}`),
    };
  }

  const KNOWN = { maySend: true, says: 'SUBSCRIBED', mirror: [`${EMAIL} SUBSCRIBED`] };

  test('is known if both are the same', async () => {
    assert.deepEqual(await read((profile) => profile), KNOWN);
  });

  test('is sent nothing, and is unknown to migrations, if one says another consent', async () => {
    const unsubscribed: Change = ({ attributes, ...profile }) => {
      const text = JSON.stringify(attributes).replaceAll('"SUBSCRIBED"', '"UNSUBSCRIBED"');
      return { ...profile, attributes: JSON.parse(text) as Profile['attributes'] };
    };
    const disputed = { ...KNOWN, maySend: false, mirror: [`${EMAIL} unknown no`] };
    assert.deepEqual(await read(unsubscribed), disputed);
    assert.deepEqual(await read(null), KNOWN, 'once Klaviyo says one thing');
  });

  test('is sent nothing, and is unknown to migrations by both addresses, if they differ', async () => {
    const renamed: Change = (profile) => ({
      ...profile,
      attributes: { ...profile.attributes, email: 'eve@example.com' },
    });
    assert.deepEqual(await read(renamed), {
      ...KNOWN,
      maySend: false,
      mirror: [`${EMAIL} unknown no`, 'eve@example.com unknown no'],
    });
  });

  test('is sent nothing by mail either if only the numbers differ', async () => {
    const numbered: Change = (profile) => ({
      ...profile,
      attributes: { ...profile.attributes, phone_number: '+12015550101' },
    });
    const { maySend, mirror } = await read(numbered);
    assert.equal(maySend, false);
    assert.ok(
      mirror.every((line) => line.endsWith('unknown no')),
      mirror.join(),
    );
  });
});
