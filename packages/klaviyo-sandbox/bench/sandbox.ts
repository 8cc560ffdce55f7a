/**
 * How fast the sandbox answers with a million profiles in it, and how much memory it takes.
 *
 *     node --import tsx packages/klaviyo-sandbox/bench/sandbox.ts [--profiles 1000000] [--only text]
 *
 * The sandbox and its client share this process and its one thread. Each kind of call is measured
 * twice: over HTTP on loopback with a warm connection (first byte sent to last byte read, which
 * includes the JSON on the server's side, and the CPU time of both sides), and in the operation's
 * handler alone. A day of Klaviyo's time is skipped after every call, so that no limit stops it;
 * the time to apply an accepted call to the account is measured as `effect`. `first` is the first
 * call of a kind, which may build an index. A missed target is not a failure.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Table from 'cli-table3';
import { startSandbox, type Sandbox } from '../src/index.js';
import { fill, OPTIONS } from './account.js';
import { eventCases, readCases, type Case } from './reads.js';
import { Requests } from './requests.js';
import { timed, timesOf } from './stopwatch.js';
import { writeCases } from './writes.js';

const MEMORY_TARGET_GB = 1.5;
const DAY = 86_400_000;

const { values } = parseArgs({
  options: {
    profiles: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
  },
});
const profiles = Number(values.profiles);
if (!Number.isInteger(profiles) || profiles < 1_000) {
  throw new RangeError(`--profiles must be a whole number from 1000; got ${values.profiles}`);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const sandbox = await startSandbox(OPTIONS);
const requests = new Requests(sandbox);
const table = new Table({
  head: [
    'call',
    'calls',
    'kB',
    'first',
    'HTTP p50',
    'p95',
    'max',
    'CPU p50',
    'handler p50',
    'effect p50',
    'target',
    'met',
  ],
  style: { head: [], border: [] },
  colAligns: ['left', ...Array<'right'>(11).fill('right')],
});
try {
  await seed(sandbox);
  for (const reading of readCases(sandbox)) await attempt(reading);
  for (const reading of writeCases(sandbox.account)) await attempt(reading);
  for (const reading of eventCases()) await attempt(reading);
  const [cpu] = cpus();
  console.log(`${table.toString()}\nms; a target is for the p50 over HTTP, on an idle machine.`);
  console.log(memory('after the calls'));
  console.log(`Node ${process.version}, ${cpus().length} x ${cpu?.model ?? 'unknown CPU'}`);
} finally {
  await requests.close();
  await sandbox.close();
}

async function seed({ account }: Sandbox): Promise<void> {
  const [took] = await timed(() => fill(account, profiles));
  account.advance(DAY);
  console.log(`${profiles.toLocaleString('en')} profiles seeded in ${(took / 1_000).toFixed(1)} s`);
  console.log(memory('after that'));
}

/** A refused call is part of the report. */
async function attempt(reading: Case): Promise<void> {
  if (!reading.name.includes(values.only)) return;
  try {
    await read(reading);
  } catch (error) {
    table.push([reading.name, { colSpan: 11, content: String(error).slice(0, 100) }]);
  }
}

async function read(reading: Case): Promise<void> {
  const { name, request, calls, target, takesEffect = false, warmUp = 3 } = reading;
  const { account } = sandbox;
  const http: number[] = [];
  const cpu: number[] = [];
  const effect: number[] = [];
  const handler: number[] = [];
  let first = 0;
  let bytes = 0;
  let previous: string | undefined;
  await requests.connect();
  for (let n = 0; n < warmUp + calls; n++) {
    const answered = await requests.overHttp(request(n, previous));
    previous = answered.text;
    bytes = answered.bytes;
    if (n === 0) first = answered.took;
    const [applied] = await timed(() => account.advance(DAY));
    if (n < warmUp) continue;
    http.push(answered.took);
    cpu.push(answered.cpu);
    effect.push(applied);
  }
  for (let n = 0; n < calls; n++) {
    handler.push(await requests.byHandler(request(warmUp + calls + n, previous)));
    account.advance(DAY);
  }
  const over = timesOf(http);
  const middles = [cpu, handler].map((took) => timesOf(took).p50);
  table.push([
    name,
    calls,
    Math.round(bytes / 1_000),
    ...[first, over.p50, over.p95, over.max, ...middles].map((ms) => ms.toFixed(1)),
    takesEffect ? timesOf(effect).p50.toFixed(1) : '',
    target === undefined ? '' : `< ${target}`,
    target === undefined ? '' : over.p50 < target ? 'yes' : 'no',
  ]);
}

function memory(when: string): string {
  collectGarbage();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const gb = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  const met = rss / 2 ** 30 < MEMORY_TARGET_GB ? 'met' : 'not met';
  return `memory ${when}: rss ${gb(rss)} GB (target < ${MEMORY_TARGET_GB}: ${met}), heap ${gb(heapUsed)} GB, typed arrays ${gb(arrayBuffers)} GB`;
}
