import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { describeSandbox } from '../src/index.js';
import { sandboxFor } from './support.js';

const run = promisify(execFile);
const skip = hasCurl() ? false : 'this machine has no curl in a POSIX shell';

function hasCurl(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v curl'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

for (const [name, apiKey, id] of [
  ['as it starts', 'pk_sandbox', 'Single'],
  ['with quotes in key and list id', 'pk_it\'s "quoted" $HOME', "O'List"],
] as const) {
  test(`describes itself with three calls that work when pasted: ${name}`, { skip }, async (t) => {
    const lists = [{ id, name: 'A list', opt_in_process: 'single_opt_in' as const }];
    const sandbox = await sandboxFor(t, { apiKey, lists });
    const text = describeSandbox(sandbox);
    assert.ok(text.includes(sandbox.url) && text.includes(apiKey));
    const calls = text.split('\n').filter((line) => /^ +curl /.test(line));
    assert.equal(calls.length, 3);
    const [subscribe, read, truth] = calls;
    assert.match((await run('sh', ['-c', subscribe!])).stdout, /^HTTP\/1\.1 202/);
    sandbox.account.advance(3_600_000);
    const shown = JSON.parse((await run('sh', ['-c', read!])).stdout) as { data: unknown[] };
    assert.equal(shown.data.length, 1);
    const [line] = (await run('sh', ['-c', truth!])).stdout.split('\n');
    const { email, lists: joined } = JSON.parse(line!) as Record<string, { id: string }[]>;
    assert.deepEqual([email, joined?.map((list) => list.id)], ['ada@shop.test', [id]]);
  });
}
