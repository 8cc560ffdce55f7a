import { Command, CommanderError } from 'commander';
import { addApprove } from './verbs/approve.js';
import { addCancel } from './verbs/cancel.js';
import { addCheck } from './verbs/check.js';
import { addConfig } from './verbs/config.js';
import { addCreateList } from './verbs/create-list.js';
import { addDemo } from './verbs/demo.js';
import { addDev } from './verbs/dev.js';
import { Ended } from './ended.js';
import { EXIT, exitCodesHelp } from './exit-codes.js';
import { addInit } from './verbs/init.js';
import { addMap } from './verbs/map.js';
import { addMigrate } from './verbs/migrate.js';
import { addOnePerson } from './verbs/one-person.js';
import { addPause } from './verbs/pause.js';
import { addApply, addPlan } from './verbs/plan.js';
import { addProgram } from './verbs/program.js';
import { addReport } from './verbs/report.js';
import { addResume } from './verbs/resume.js';
import { addRetryFailed } from './verbs/retry-failed.js';
import { addSandbox } from './verbs/sandbox.js';
import { addSetShare } from './verbs/set-share.js';
import { addShow } from './verbs/show.js';
import { addStatus } from './verbs/status.js';
import { addSync } from './verbs/sync.js';
import { processTerminal, type Terminal } from './terminal/terminal.js';
import { packageVersion } from './version.js';
import { addWebhooks } from './verbs/webhooks.js';
import { addWorker } from './verbs/worker.js';

/**
 * Runs `consentry` with these arguments, which begin after Node and the script.
 *
 * @returns the exit code, see `exit-codes.ts`; nothing is thrown
 */
export async function main(
  argv: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  try {
    await program(terminal).parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

async function exitCodeOf(error: unknown, terminal: Terminal): Promise<number> {
  // commander or the verb has already written its messages.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Ended) return error.exitCode;
  const { failureOf } = await import('./failure.js');
  const { exitCode, message } = failureOf(error);
  terminal.stderr.write(`${message}\n`);
  if (await isDebugging()) terminal.stderr.write(`${stackOf(error)}\n`);
  return exitCode;
}

function program(terminal: Terminal): Command {
  const command = new Command('consentry')
    .description('Durable consent for Klaviyo: every row ends with an outcome that was read back.')
    .version(packageVersion())
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(--help lists the commands and flags)')
    .addHelpText('afterAll', `\n${exitCodesHelp()}`);
  const verbs = [
    addDemo,
    addDev,
    addSandbox,
    addWorker,
    addCheck,
    addCreateList,
    addMap,
    addMigrate,
    addInit,
    addConfig,
    addProgram,
    addPlan,
    addApply,
    addSync,
    addWebhooks,
    addStatus,
    addReport,
    addShow,
    addOnePerson,
    addApprove,
    addPause,
    addResume,
    addSetShare,
    addCancel,
    addRetryFailed,
  ];
  for (const add of verbs) add(command, terminal);
  return command;
}

/** A wrong `LOG_LEVEL` may be the error that is being shown. */
async function isDebugging(): Promise<boolean> {
  const { LOG_LEVELS, loadConfig } = await import('../runtime/config.js');
  try {
    return LOG_LEVELS.indexOf(loadConfig().logLevel) <= LOG_LEVELS.indexOf('debug');
  } catch {
    return false;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
