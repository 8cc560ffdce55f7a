import { createRequire } from 'node:module';
import { CommanderError, type OutputConfiguration } from 'commander';
import { sandboxCommand } from './command.js';

const USAGE = 2;

/**
 * Runs `klaviyo-sandbox` with these arguments (without Node and the script).
 *
 * @param output where it writes, if not to stdout and stderr
 * @returns the exit code: 0, or 2 for a wrong flag or setting
 */
export async function main(
  argv: readonly string[],
  output: OutputConfiguration = {},
): Promise<number> {
  try {
    await sandboxCommand('klaviyo-sandbox')
      .version(packageVersion())
      .configureOutput(output)
      .exitOverride()
      .parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    // commander has already printed the message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
}

function packageVersion(): string {
  const read = createRequire(import.meta.url);
  return (read('klaviyo-sandbox/package.json') as { version: string }).version;
}
