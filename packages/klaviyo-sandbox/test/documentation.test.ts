import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { sandboxCommand } from '../src/command/command.js';
import { DEFAULT_SWITCHES, DELAYS, FAULT_KINDS, switchChoices } from '../src/index.js';
import { ask } from './control/control-support.js';
import { sandboxFor } from './support.js';

const run = promisify(execFile);
/** The package, for sources and for the build, which is one level deeper. */
const root = import.meta.url.includes('/dist/') ? '../../' : '../';
const text = readFileSync(new URL(`${root}README.md`, import.meta.url), 'utf8');

/** Cells of the tables whose first column has this name, row by row, without the head. */
function tableOf(first: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => new RegExp(`^\\| ${first} +\\|`).test(line));
  assert.ok(start >= 0, `README.md has no table of ${first}s`);
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end).map((line) =>
    line
      .replaceAll('\\|', '/')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const codes = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

test('the document has every control call and no other', async (t) => {
  const sandbox = await sandboxFor(t);
  const { calls } = await ask<{ calls: string[] }>(sandbox, 'GET', '');
  const documented = tableOf('call').map(([call]) => codes(call!)[0]!.replace(/\?.*/, ''));
  assert.deepEqual(
    [...new Set(documented)].sort(),
    calls.filter((call) => !/box\/?$/.test(call)).sort(),
  );
});

test('the document has every switch with its default and its other values', () => {
  const documented = tableOf('switch').map(([name, usual, other]) => ({
    name: codes(name!)[0],
    values: [
      codes(usual!)[0],
      ...(codes(other!)[0] ? codes(other!) : ['a whole number from 1']),
    ].sort(),
    usual: codes(usual!)[0],
  }));
  const actual = switchChoices().map(({ name, values }) => ({
    name,
    values: values.split(' or ').sort(),
    usual: String(DEFAULT_SWITCHES[name]),
  }));
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
    String(a.name) < String(b.name) ? -1 : 1;
  assert.deepEqual(documented.sort(byName), actual.sort(byName));
});

test('the document has every kind of fault', () => {
  const documented = tableOf('kind').flatMap(([kinds]) => codes(kinds!));
  assert.deepEqual(documented.sort(), [...FAULT_KINDS].sort());
});

test('the document has every delay with its ranges', () => {
  const actual = Object.entries(DELAYS.klaviyo).map(([kind, [from, to]]) => {
    const [least, most] = DELAYS.fast[kind as keyof typeof DELAYS.fast];
    return [`\`${kind}\``, `${from / 1_000}–${to / 1_000} s`, `${least}–${most} ms`];
  });
  const documented = tableOf('delay').map((row) => row.slice(0, 3));
  assert.deepEqual(documented.sort(), actual.sort());
});

test('the document has every flag', () => {
  const flags = [
    ...sandboxCommand('klaviyo-sandbox')
      .helpInformation()
      .matchAll(/^ {2}(--[a-z-]+)/gm),
  ].map(([, flag]) => flag!);
  const documented = tableOf('flag').flatMap(([cell]) => cell!.match(/--[a-z-]+/g) ?? []);
  assert.deepEqual(documented.sort(), flags.sort());
});

test('the calls in the document work, one after the other', { skip: withoutCurl() }, async (t) => {
  const sandbox = await sandboxFor(t, { delays: 'fast' });
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block!);
  const calls = blocks.filter((block) => /^curl /m.test(block));
  assert.ok(calls.length >= 7);
  const answers: string[] = [];
  for (const call of calls) {
    const script = call
      .replaceAll('http://127.0.0.1:8080', sandbox.url)
      .replace(/^curl /gm, 'curl --silent --show-error --fail ');
    answers.push((await run('sh', ['-e', '-c', script], { maxBuffer: 10_000_000 })).stdout);
  }
  assert.match(answers[1]!, /ada@shop\.test/);
  assert.ok(sandbox.account.profiles.size > 2_000);
  assert.equal(sandbox.account.settings.switches.duplicateRows, 'reject');
});

function withoutCurl(): string | false {
  try {
    execFileSync('sh', ['-c', 'command -v curl'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'this machine has no curl in a POSIX shell';
  }
}
