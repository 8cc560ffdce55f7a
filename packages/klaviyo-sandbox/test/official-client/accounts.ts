import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { officialClient, refusalOf } from './support.js';

describe('the official client reads the account', () => {
  it('finds the one account of its key, and that account by its id', async (t) => {
    const client = await officialClient(t, { account: { id: 'Comp01', name: 'Greenhouse' } });
    const { body } = await client.accounts.getAccounts();
    assert.deepEqual(
      body.data.map(({ type, id }) => [type, id]),
      [['account', 'Comp01']],
    );
    const { attributes } = body.data[0]!;
    assert.equal(attributes.contactInformation.organizationName, 'Greenhouse');
    assert.equal(attributes.contactInformation.streetAddress.country, 'US');
    assert.equal(attributes.publicApiKey, 'Comp01');
    const one = await client.accounts.getAccount('Comp01');
    assert.deepEqual(one.body.data, body.data[0]);
  });

  it('gets only the fields that it names', async (t) => {
    const { accounts } = await officialClient(t);
    const { response } = await accounts.getAccounts({
      fieldsAccount: ['timezone', 'contact_information.organization_name'],
    });
    const { data } = response.data as { data: { attributes: Record<string, object> }[] };
    assert.deepEqual(Object.keys(data[0]!.attributes).sort(), ['contact_information', 'timezone']);
    assert.deepEqual(Object.keys(data[0]!.attributes['contact_information']!), [
      'organization_name',
    ]);
  });

  it('is throttled at the second call within a second, and accepted after the given wait', async (t) => {
    const client = await officialClient(t);
    const { response } = await client.accounts.getAccounts();
    assert.equal(response.headers['ratelimit-limit'], '1, 1;w=1, 15;w=60');
    const { status, headers, data } = await refusalOf(client.accounts.getAccounts());
    assert.equal(status, 429);
    assert.equal(headers['retry-after'], '1');
    assert.equal(headers['ratelimit-limit'], undefined);
    assert.deepEqual(
      data.errors.map(({ code, detail }) => [code, detail]),
      [['throttled', 'Request was throttled. Expected available in 1 second.']],
    );
    client.after(1_000);
    assert.equal((await client.accounts.getAccounts()).response.status, 200);
  });

  it('retries by itself after a 503 if its retries are on', async (t) => {
    const client = await officialClient(t, {}, { numRetries: 2 });
    client.sandbox.account.addFault({ endpoint: 'get_accounts', kind: '503', times: 1 });
    assert.equal((await client.accounts.getAccounts()).response.status, 200);
    const [counts] = client.sandbox.account.requests();
    assert.deepEqual(counts?.statuses, { 503: 1, 200: 1 });
  });

  it('is refused with a wrong key, and with a key that lacks a scope', async (t) => {
    const stranger = await officialClient(t, {}, { apiKey: 'pk_wrong' });
    const wrong = await refusalOf(stranger.accounts.getAccounts());
    assert.deepEqual(
      [wrong.status, wrong.data.errors[0]?.code, wrong.data.errors[0]?.detail],
      [401, 'authentication_failed', 'Incorrect authentication credentials.'],
    );
    const reader = await officialClient(t, { scopes: ['profiles:read'] });
    const scope = await refusalOf(reader.accounts.getAccounts());
    assert.deepEqual([scope.status, scope.data.errors[0]?.code], [403, 'permission_denied']);
  });
});
