import type { Command } from 'commander';
import { sandboxCommand } from 'klaviyo-sandbox/command';

/** The sandbox's own command, which writes and ends as ours do. */
export function addSandbox(program: Command): void {
  program.addCommand(sandboxCommand('sandbox').copyInheritedSettings(program));
}
