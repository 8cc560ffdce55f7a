export { describeSandbox } from './describe.js';
export { startSandbox, type Sandbox } from './server.js';
export {
  DEFAULT_SWITCHES,
  type AccountOptions,
  type ClickOptions,
  type ListOptions,
  type OptIn,
  type SandboxOptions,
  type SenderOptions,
  type Switches,
} from './options.js';
export { DELAYS, type DelaySettings } from './delays.js';
export type { MessageLine, Person, SandboxAccount, TruthLine } from './account/account.js';
export type { Fault, FaultKind } from './account/faults.js';
export type { SubscribedLine } from './account/request-log.js';
export type { SeedProfile } from './account/seeding.js';
