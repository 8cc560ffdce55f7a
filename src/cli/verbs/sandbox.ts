import type { Command } from 'commander';
import { sandboxCommand } from 'klaviyo-sandbox/command';

/** The sandbox's own command, with our output and exit codes. */
export function addSandbox(program: Command): void {
  program.addCommand(sandboxCommand('sandbox').copyInheritedSettings(program));
}
