import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface CursorProxy {
  readonly url: string;
  /** From now on the sandbox gets another cursor than it gave, so many times. */
  expire(times: number): void;
  /** How many times that still happens. */
  left(): number;
  close(): Promise<void>;
}

const PASSED = /^(date|content-type|retry-after|ratelimit-.*)$/;

/**
 * Between a worker and the sandbox: its cursors expire, as Klaviyo's may, while profiles are read.
 *
 * @param paths whose cursors expire
 */
export async function startCursorProxy(
  target: string,
  paths = /\/profiles$/,
): Promise<CursorProxy> {
  let left = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', target);
      if (left > 0 && paths.test(url.pathname) && url.searchParams.has('page[cursor]')) {
        left -= 1;
        url.searchParams.set('page[cursor]', 'expired');
      }
      // A sync only reads.
      const { authorization = '', revision } = request.headers;
      const answer = await fetch(url, { headers: { authorization, revision: String(revision) } });
      const kept = [...answer.headers].filter(([name]) => PASSED.test(name));
      response.writeHead(answer.status, Object.fromEntries(kept));
      const own = `http://${request.headers.host ?? ''}`;
      response.end((await answer.text()).replaceAll(new URL(target).origin, own));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    expire: (times) => void (left = times),
    left: () => left,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
