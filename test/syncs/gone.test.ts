import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startSyncWorld, type SyncWorld } from './world.js';

const HOUR_MS = 3_600_000;

describe('a profile that is gone', () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
    const { account } = world.sandbox;
    for (const name of ['ada', 'bob', 'eve', 'kim']) {
      const phone_number = `+1201555010${name.length + name.charCodeAt(0) - 100}`;
      account.seed({ email: `${name}@example.com`, phone_number, email_consent: 'SUBSCRIBED' });
    }
    account.seed({ phone_number: '+12015550190', sms_consent: 'SUBSCRIBED' });
    account.advance(HOUR_MS);
    await world.sync({ history: 'consent_history' });
  });
  after(() => world.close());

  const ofAddress = (address: string) => {
    const who = address.startsWith('+') ? { phone_number: address } : { email: address };
    const line = world.sandbox.account.truthFor(who);
    assert.ok(line !== undefined);
    return line;
  };
  const remove = (id: string) => {
    const { account } = world.sandbox;
    account.deleting.accept({ field: 'id', value: id });
    account.advance(HOUR_MS);
  };
  const sweep = () => world.sync({ history: 'consent_history', full: true });
  const rowsWith = async (id: string) => {
    const rows = await world.rows('select * from klaviyo_consent');
    return rows.filter((row) => JSON.stringify(row).includes(id));
  };

  test('was deleted, though the person came back as somebody new', async () => {
    const { id } = ofAddress('ada@example.com');
    remove(id);
    world.sandbox.account.subscribe({ email: 'ada@example.com' });
    const { removed } = await sweep();
    assert.equal(removed, 1);
    assert.deepEqual(await rowsWith(id), []);
    await world.assertTrue();
  });

  test('was deleted, though somebody else has the number now', async () => {
    const bob = ofAddress('bob@example.com');
    remove(bob.id);
    world.sandbox.account.subscribe({
      email: 'eve@example.com',
      phone_number: bob.phone_number ?? '',
    });
    await sweep();
    assert.deepEqual(await rowsWith(bob.id), []);
    assert.deepEqual(await rowsWith('bob@example.com'), []);
    await world.assertTrue();
  });

  test('was merged if an older one has the address, or the number of one without an address', async () => {
    const { profiles, identities } = world.sandbox.account;
    const into = ofAddress('kim@example.com');
    for (const address of ['eve@example.com', '+12015550190']) {
      const from = ofAddress(address);
      const [source = -1, target = -1] = [from, into].map(({ id }) => profiles.withId(id));
      identities.merge(source, target, 'source');
      await sweep();
      const [row] = await rowsWith(from.id);
      assert.equal(row?.['merged_into'], into.id, address);
    }
    await world.assertTrue();
  });
});
