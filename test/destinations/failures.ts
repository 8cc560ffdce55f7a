import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { DestinationError } from '../../src/destinations/destination.js';

/** What an error of a destination has to be: without passwords, and without people. */
export function failure(passing: boolean, ...says: readonly RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof DestinationError, String(error));
    assert.equal(error.passing, passing, error.message);
    for (const words of says) assert.match(error.message, words);
    const all = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
    assert.doesNotMatch(all, /s3cret|wr0ng|@example\.com/);
    return true;
  };
}

/** A port on which nobody listens. */
export async function silentPort(): Promise<string> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return String(port);
}
