import { readdir, readFile, readlink } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** TCP ports that a process listens on, by Linux's own tables. */
export async function portsOf(pid: number): Promise<number[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) =>
      readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''),
    ),
  );
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')),
  );
  const ports = tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      // Number, local address and port, remote ones, state (0A listens), and the inode as tenth.
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      return state === '0A' && inodes.has(inode) ? parseInt(local.split(':')[1] ?? '', 16) : [];
    }),
  );
  return [...new Set(ports)];
}

/** The status of an answer over HTTP/1.1; null where the port speaks something else. */
export function statusOf(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<number | null> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, timeout: 5_000 });
    call.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? null);
    });
    call.on('error', () => resolve(null));
    call.on('timeout', () => call.destroy());
    call.end(body);
  });
}

/** Waits until a port answers with a status; fails after 10 s. */
export async function untilStatus(port: number, path: string, status: number): Promise<void> {
  const endsAt = performance.now() + 10_000;
  for (;;) {
    const now = await statusOf(port, path);
    if (now === status) return;
    if (performance.now() > endsAt)
      throw new Error(`${path} answers ${String(now)}, not ${status}`);
    await delay(50);
  }
}
