import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Sandbox, type SandboxOptions, startSandbox } from 'klaviyo-sandbox';
import { startVerb } from '../../../src/demo/child.js';
import { verbEnvironment } from '../../support/processes/verb-environment.js';
import { createTestDatabase } from '../../support/stack.js';

/** The account that the programs of a folder are about. */
export interface Shop {
  readonly sandbox: Sandbox;
  /** Writes the source NAME.csv, in which all of them consent to mail. */
  people(name: string, ...who: string[]): Promise<void>;
}

/**
 * Registers the start and the end of a shop with the suite: the process works in an empty folder,
 * with a ledger and a worker of its own. Its list is Newsletter; in@shop.test is subscribed.
 *
 * @param account id that nobody else on the tests' Temporal server has
 */
export function inShop(account: string, options: SandboxOptions = {}): Shop {
  const started = process.cwd();
  const closing: (() => Promise<unknown> | void)[] = [];
  let sandbox: Sandbox;
  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    closing.push(() => rm(folder, { recursive: true }));
    process.chdir(folder);
    closing.push(() => process.chdir(started));
    const ledger = await createTestDatabase();
    closing.push(() => ledger.drop());
    const environment = await verbEnvironment(folder, ledger);
    Object.assign(process.env, environment);
    sandbox = await startSandbox({
      delays: 'fast',
      account: { id: account },
      lists: [{ id: 'NEWSLT', name: 'Newsletter', opt_in_process: 'single_opt_in' }],
      ...options,
    });
    closing.push(() => sandbox.close());
    sandbox.account.seed({ email: 'in@shop.test', email_consent: 'SUBSCRIBED' });
    const key = { KLAVIYO_API_KEY: sandbox.apiKey, KLAVIYO_BASE_URL: sandbox.url };
    const worker = await startVerb(['worker'], { ...environment, ...key }, folder);
    closing.push(() => worker.process.stop());
  });
  after(async () => {
    for (const close of closing.reverse()) await close();
  });
  return {
    get sandbox() {
      return sandbox;
    },
    async people(name, ...who) {
      const rows = who.map((each) => `${each}@shop.test,yes`);
      await writeFile(`${name}.csv`, ['email,email_consent', ...rows].join('\n'));
    },
  };
}
