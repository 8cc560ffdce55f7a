import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSpecifications, SPECIFICATION_MISSING } from '../specification.js';
import { Contract } from './contract.js';
import { answersOf, ERROR_ANSWERS } from './error-answers.js';
import { readExchanges, type LoggedExchange } from './exchange-files.js';

const folder = process.env['CONSENTRY_TEST_EXCHANGES'];
/** Whether every test ran: only then must every error answer have occurred. */
const whole = process.env['CONSENTRY_TEST_EXCHANGES_WHOLE'] === '1';
const specifications = readSpecifications();

const skip =
  specifications === undefined
    ? SPECIFICATION_MISSING
    : folder === undefined
      ? 'npm test runs this after the others, on what their sandboxes wrote down. Alone: run tests with KLAVIYO_SANDBOX_EXCHANGES=<folder>, then this with CONSENTRY_TEST_EXCHANGES=<folder>.'
      : false;

test('every exchange of the suite follows the specification', { skip }, async (t) => {
  const contract = new Contract(specifications ?? []);
  const { exchanges, total } = await readExchanges(folder ?? '');
  if (total === 0) {
    t.skip('no sandbox was asked anything by the tests that ran');
    return;
  }
  const violations = new Map<string, number>();
  for (const exchange of exchanges) {
    for (const violation of contract.violations(exchange)) {
      violations.set(violation, (violations.get(violation) ?? 0) + 1);
    }
  }
  const names = [...new Set(contract.operations.map(({ operationId }) => operationId))];
  const exercised = new Set(exchanges.filter(isSuccess).map(({ operation }) => operation ?? ''));
  const unused = names.filter((name) => !exercised.has(name));
  const produced = new Set(exchanges.flatMap(answersOf));
  const absent = ERROR_ANSWERS.map(({ id }) => id).filter((id) => !produced.has(id));

  t.diagnostic(
    [
      `${names.length - unused.length} of ${names.length} operations`,
      `${ERROR_ANSWERS.length - absent.length} of ${ERROR_ANSWERS.length} documented error answers`,
      `${total} exchanges (${exchanges.length} distinct)`,
      `${violations.size} violations`,
    ].join(', '),
  );
  t.diagnostic(`answers by status: ${statusesOf(exchanges)}`);
  if (whole && unused.length > 0)
    t.diagnostic(`operations never answered with 2xx: ${unused.join(', ')}`);
  if (whole && absent.length > 0)
    t.diagnostic(`error answers that never came up: ${absent.join('; ')}`);

  const lines = [...violations].map(([violation, times]) => `${violation} (${times} times)`);
  assert.deepEqual(lines.sort(), []);
  if (!whole) return;
  assert.deepEqual(unused, []);
  assert.deepEqual(absent, []);
});

const isSuccess = ({ status }: LoggedExchange): boolean =>
  status !== null && status >= 200 && status < 300;

function statusesOf(exchanges: readonly LoggedExchange[]): string {
  const counts = new Map<string, number>();
  for (const { status } of exchanges) {
    const name = status === null ? 'line cut' : String(status);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort()
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
}
