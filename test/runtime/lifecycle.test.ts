import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import { firstLine, runModule, runtimeModule } from '../support/processes/child-processes.js';

describe('lifecycle', () => {
  it('stops the parts in the reverse order of their start, one after the other', async () => {
    const order: string[] = [];
    const lifecycle = new Lifecycle();
    for (const name of ['database', 'server', 'worker']) {
      lifecycle.onStop(name, async () => {
        order.push(`${name} stops`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} stopped`);
      });
    }
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    assert.deepEqual(order, [
      'worker stops',
      'worker stopped',
      'server stops',
      'server stopped',
      'database stops',
      'database stopped',
    ]);
  });

  it('stops the others when one fails or hangs, and names both', async () => {
    const order: string[] = [];
    const lifecycle = new Lifecycle();
    lifecycle.onStop('database', async () => void order.push('database'));
    lifecycle.onStop('server', () => new Promise(() => undefined), 20);
    lifecycle.onStop('worker', () => Promise.reject(new Error('stuck')));
    await assert.rejects(lifecycle.stop(), (error: Error) => {
      assert.match(error.message, /worker did not stop: stuck/);
      assert.match(error.message, /server did not stop: it took longer than 20 ms/);
      return true;
    });
    assert.deepEqual(order, ['database']);
  });

  const program = (stop: string): string => `
    import { Lifecycle } from ${runtimeModule('lifecycle')};
    const lifecycle = new Lifecycle();
    lifecycle.onStop('part', async () => { ${stop} });
    lifecycle.stopOnSignals((signal) => console.error('stopping on ' + signal));
    console.log('up');
    setInterval(() => undefined, 1000);`;

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops everything on ${signal} and ends by it`, async () => {
      const child = runModule(program("console.log('stopped');"));
      assert.equal(await firstLine(child), 'up');
      let output = '';
      child.stdout?.on('data', (chunk: string) => (output += chunk));
      const ended = once(child, 'close');
      child.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
      assert.equal(output, 'stopped\n');
    });
  }

  it('ends at once on the second signal', async () => {
    const child = runModule(program('await new Promise(() => undefined);'));
    assert.equal(await firstLine(child), 'up');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const again = setInterval(() => child.kill('SIGINT'), 50);
    assert.deepEqual(await ended, [null, 'SIGINT']);
    clearInterval(again);
  });
});
