import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { until } from '../../workflows/phases.js';
import { run } from '../terminal.js';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';
import { createTestDatabase, type TestDatabase } from '../../support/stack.js';

/** The tutorial of docs/segments.md, with its own tables and its own `consentry.yaml`. */
describe('a warehouse segment', { timeout: 240_000 }, () => {
  let stack: VerbStack;
  let warehouse: TestDatabase;
  let client: pg.Client;
  const config = 'consentry.yaml';

  before(async () => {
    warehouse = await createTestDatabase();
    process.env['WAREHOUSE_URL'] = warehouse.url;
    stack = await startVerbStack();
    client = new pg.Client({ connectionString: warehouse.url });
    await client.connect();
    await client.query(blocks('sql')[0] ?? '');
    path = await stack.source(config, [blocks('yaml')[0] ?? '']);
  });
  after(async () => {
    await client.end();
    await stack.stop();
    await warehouse.drop();
    delete process.env['WAREHOUSE_URL'];
  });

  let path = '';

  const verb = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...argv);
    assert.equal(code, 0, `${stdout}${stderr}`);
    return stdout;
  };
  const shown = (email: string): Promise<string> => verb('show', email);
  const runs = async () =>
    (
      JSON.parse(await verb('program', 'runs', 'vip', '--json')) as {
        runs: { state: string; found: { entering: number; leaving: number } | null }[];
      }
    ).runs;

  /** Triggers until a run has ended: the Schedule skips one while it has not noticed the end of the last. */
  const trigger = async () => {
    const before = (await runs()).length;
    await until('a run', async () => {
      const now = await runs();
      if (now.length === before) await verb('program', 'trigger', 'vip');
      return now.length > before && !['comparing', 'running'].includes(now[0]?.state ?? '');
    });
    return (await runs())[0];
  };

  it('is planned and applied, and its people are asked', async () => {
    const planned = await run('plan', '--config', path, '--check');
    assert.equal(planned.code, 8, planned.stderr);
    assert.match(planned.stdout, /vip .* new .* run every 1h/);
    const applied = await verb('apply', '--config', path, '--yes');
    assert.match(applied, /2 people in the source, 0 in the segment before: 2 enter, 0 leave/);
    assert.equal((await run('plan', '--config', path, '--check')).code, 0);
    assert.match(await shown('ada@shop.test'), /SUBSCRIBED/);
    assert.match(await verb('program', 'runs', 'vip'), /next run .* UTC[^]* hand .* done/);
  });

  it('follows who comes and goes, run by a worker', async () => {
    await client.query(blocks('sql')[1] ?? '');
    const first = await trigger();
    assert.deepEqual([first?.state, first?.found?.entering, first?.found?.leaving], ['done', 1, 0]);
    const second = await trigger();
    assert.deepEqual(
      [second?.state, second?.found?.entering, second?.found?.leaving],
      ['done', 0, 1],
    );
    assert.match(await shown('bob@shop.test'), /UNSUBSCRIBED/);
    assert.doesNotMatch(await shown('eve@shop.test'), /UNSUBSCRIBED/);
  });

  it('is paused and resumed', async () => {
    assert.match(await verb('program', 'pause', 'vip'), /starts no more runs by itself/);
    assert.match(
      await verb('program', 'runs', 'vip'),
      /paused \(Paused by consentry program pause/,
    );
    assert.match(await verb('program', 'unpause', 'vip'), /runs by itself again/);
    const refused = await run('program', 'approve', 'vip');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /No run of vip waits for an answer/);
    const unknown = await run('program', 'trigger', 'vap');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /vap does not run by itself/);
  });
});

function blocks(language: string): string[] {
  const path = ['../../../', '../../../../']
    .map((up) => join(import.meta.dirname, up, 'docs/segments.md'))
    .find((each) => existsSync(each));
  const page = readFileSync(path ?? '', 'utf8');
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );
}
