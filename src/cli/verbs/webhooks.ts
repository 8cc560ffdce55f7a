import type { Command } from 'commander';
import { wholeNumber } from '../arguments.js';
import type { ListenFlags } from '../run/webhooks-listen.js';
import type { Terminal } from '../terminal/terminal.js';
import { CONFIG_FLAG } from './config.js';

export function addWebhooks(program: Command, terminal: Terminal): void {
  program
    .command('webhooks')
    .description('let Klaviyo’s webhooks start runs of syncs')
    .command('listen')
    .description('take requests of webhooks, until Ctrl-C or SIGTERM; each can only start a read')
    .argument('[names...]', 'syncs of consentry.yaml (default: all that have webhooks)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--port <number>',
      'port to listen on; 0 for any that is free',
      wholeNumber(0, 65_535),
      8090,
    )
    .option('--path <path>', 'path of the address that Klaviyo calls', '/klaviyo')
    .option(...CONFIG_FLAG)
    .option('--json', 'print one JSON object per line for each event')
    .addHelpText(
      'after',
      `
Takes plain HTTP: a proxy in front of it has the certificate, since Klaviyo calls https only. The
secret of the webhook is where syncs.NAME.webhooks.secret of consentry.yaml says. What a request
says of people is neither used nor stored: a run reads it from Klaviyo.

Examples:
  consentry webhooks listen nightly
  consentry webhooks listen nightly --port 8090 --path /klaviyo`,
    )
    .action(async (names: string[], flags: ListenFlags) => {
      const { listenToWebhooks } = await import('../run/webhooks-listen.js');
      await listenToWebhooks(names, flags, terminal);
    });
}
