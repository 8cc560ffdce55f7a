import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SettingsError } from '../../../src/starter/migrations/request/settings-error.js';
import { MigrationStoppedError } from '../../../src/starter/stopped.js';
import { startHarness, type Harness } from '../../support/harness.js';

describe('creating a list', { timeout: 180_000 }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({
      sandbox: {
        lists: [
          { id: 'TWICE1', name: 'Twice', opt_in_process: 'single_opt_in' },
          { id: 'TWICE2', name: 'Twice', opt_in_process: 'single_opt_in' },
        ],
      },
    });
  });
  after(() => harness.close());

  const create = (name: string, optIn: 'single' | 'double' = 'double') =>
    harness.consentry.lists.create({ name, optIn });

  function called(name: string): unknown[] {
    return harness.sandbox.account.lists
      .all()
      .filter((list) => list.name === name)
      .map((list) => list.optIn);
  }

  const stoppedBecause = (type: string, why: RegExp) => (error: unknown) => {
    assert.ok(error instanceof MigrationStoppedError, String(error));
    assert.equal(error.failureType, type);
    assert.match(error.message, why);
    return true;
  };

  it('creates it with its process, and finds it the next time', async () => {
    const first = await create('Readers');
    assert.deepEqual(first, {
      id: first.id,
      name: 'Readers',
      optInProcess: 'double_opt_in',
      created: true,
    });
    assert.deepEqual(await create('Readers'), { ...first, created: false });
    assert.deepEqual(called('Readers'), ['double_opt_in']);
  });

  it('a list with another process, and one of several, is refused', async () => {
    const { id } = await create('Buyers', 'single');
    await assert.rejects(
      create('Buyers'),
      stoppedBecause('OptInProcessUnexpected', new RegExp(id)),
    );
    assert.deepEqual(called('Buyers'), ['single_opt_in']);
    await assert.rejects(
      create('Twice', 'single'),
      stoppedBecause('SettingsInvalid', /TWICE1, TWICE2/),
    );
    assert.equal(called('Twice').length, 2);
  });

  for (const kind of ['reset_after', 'truncated'] as const) {
    it(`a lost answer (${kind}) creates no second one`, async () => {
      harness.sandbox.account.addFault({ endpoint: 'create_list', kind, times: 1 });
      const { created } = await create(`Lost ${kind}`);
      assert.equal(created, true);
      assert.equal(called(`Lost ${kind}`).length, 1);
    });
  }

  it('a call that did not arrive is made again, after another look', async () => {
    harness.sandbox.account.addFault({ endpoint: 'create_list', kind: 'reset_before', times: 1 });
    await create('Not arrived');
    assert.equal(called('Not arrived').length, 1);
  });

  it('two who ask at once get one list, and the one who asks for another process is refused', async () => {
    const gate = harness.gates.close('create_list');
    const asked = [create('Both'), create('Both'), create('Both', 'single')];
    const ended = Promise.allSettled(asked);
    await gate.reached;
    gate.open();
    await ended;
    assert.equal(called('Both').length, 1);
    const results = await ended;
    const created = results.filter((each) => each.status === 'fulfilled' && each.value.created);
    assert.equal(created.length, 1);
    assert.ok(results.some((each) => each.status === 'rejected'));
  });

  it('a name that Klaviyo might change is refused', async () => {
    for (const name of ['', ' Readers', 'Readers ', 'Rea\nders']) {
      await assert.rejects(create(name), SettingsError, JSON.stringify(name));
    }
  });

  it('Klaviyo’s limit of a day is told, and not waited for', async () => {
    harness.sandbox.account.addFault({
      endpoint: 'create_list',
      kind: '429',
      times: 1,
      retryAfter: 3_600,
    });
    await assert.rejects(
      create('Too many'),
      stoppedBecause('KlaviyoRequestRefused', /60 minutes.*150 a day/),
    );
    assert.equal(called('Too many').length, 0);
  });
});
