/**
 * Klaviyo's official client for Python (`klaviyo-api` 25.0.0, revision 2026-10-15) against the sandbox.
 * The client reads every answer into its own models; what the answers say is checked in `drive.py`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { OPERATIONS } from '../../src/api/operations.js';
import { operationAt } from '../../src/api/revisions/operations.js';
import { startSandbox, type Sandbox } from '../../src/index.js';
import { findPython, RELEASE, SCRIPT } from './python.js';

const found = findPython();
const skip = 'missing' in found ? found.missing : false;
const python = 'python' in found ? found.python : '';

interface Step {
  step: string;
  error: string | null;
}

test(`the official Python client ${RELEASE} drives the sandbox`, { skip }, async (t) => {
  const sandbox = await startSandbox({
    rateLimitFactor: 1_000,
    clicks: { share: 0, delayMs: [1_000, 60_000] },
    lists: [
      { id: 'Single', name: 'Single', opt_in_process: 'single_opt_in' },
      { id: 'Double', name: 'Double', opt_in_process: 'double_opt_in' },
    ],
    segments: [{ id: 'Fans', name: 'Fans', where: { property: 'fan', equals: true } }],
    sms: { status: 'none', senders: [] },
    switches: { webhooks: 'allowed' },
  });
  t.after(() => sandbox.close());
  const steps = await drive(t, sandbox);
  assert.ok(steps > 15, `${steps} steps`);
  await t.test('with every stable operation of its revision', (t) => {
    const driven = sandbox.account.requests().flatMap(({ operation, statuses }) => {
      return Object.keys(statuses).some((status) => status.startsWith('2')) ? [operation] : [];
    });
    t.diagnostic(`${driven.length} operations driven by the official Python client`);
    const general = OPERATIONS.flatMap((operation) => operationAt(operation, '2026-10-15') ?? [])
      .filter(({ revision }) => revision === undefined)
      .map(({ name }) => name);
    assert.deepEqual(driven.sort(), general.sort());
  });
});

/** Runs the script, each of its steps as a test. @returns how many there were */
async function drive(t: TestContext, { url, apiKey }: Sandbox): Promise<number> {
  const child = spawn(python, [SCRIPT, url, apiKey], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const ended = once(child, 'close');
  let steps = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { step, error } = JSON.parse(line) as Step;
    steps += 1;
    await t.test(step, () => assert.equal(error, null, error ?? ''));
  }
  const [code] = (await ended) as [number | null];
  assert.equal(code, 0, 'exit code of the script');
  return steps;
}
