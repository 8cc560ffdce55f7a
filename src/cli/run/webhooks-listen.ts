import { Lifecycle } from '../../runtime/lifecycle.js';
import { readFile } from '../../starter/programs/file/read.js';
import { UsageError } from '../ended.js';
import { hookEventWords, SaidAgain } from '../render/webhooks.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** As commander read them. */
export interface ListenFlags {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly config?: string;
  readonly json?: boolean;
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Takes requests of webhooks until a signal ends it. */
export async function listenToWebhooks(
  names: readonly string[],
  { host, port, path, config, json = false }: ListenFlags,
  terminal: Terminal,
): Promise<void> {
  if (!/^\/[^\s?#]*$/.test(path)) {
    throw new UsageError(`--path ${path}: give a path that begins with /, such as /klaviyo.`);
  }
  const output = new Output(terminal, json);
  const file = await readFile(config ?? null);
  const again = new SaidAgain();
  await withConsentry(async ({ consentry }) => {
    const lifecycle = new Lifecycle();
    lifecycle.stopOnSignals((signal) => output.note(`${signal}: answering what has come`));
    const listener = await consentry.webhooks.listen(file, names, {
      host,
      port,
      path,
      tell: (event) => {
        const said = again.of(event);
        if (said !== null) output.event(said, hookEventWords(said));
      },
    });
    const stopped = new Promise<void>((resolve) => {
      lifecycle.onStop('the listener', () => listener.stop().finally(resolve));
    });
    const address = `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}${path}`;
    const { syncs } = listener;
    output.event(
      { event: 'ready', url: address, syncs },
      `Listening to webhooks on ${address} for ${syncs.join(', ')}. Ctrl-C stops it.`,
    );
    if (!LOOPBACK.test(host)) {
      output.note(
        `${host} can be reached from outside this machine without TLS: only a proxy with a certificate should.`,
      );
    }
    await stopped;
  });
}
