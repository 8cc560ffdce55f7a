export { describeSandbox } from './describe.js';
export { populate, seedLines } from './filling.js';
export type { Population } from './generator.js';
export { startSandbox, type Sandbox } from './server.js';
export {
  DEFAULT_SWITCHES,
  type AccountOptions,
  type ClickOptions,
  type FlowOptions,
  type ListOptions,
  type OptIn,
  type RequestMoment,
  type SandboxOptions,
  type SegmentOptions,
  type SegmentRule,
  type SenderOptions,
  type Switches,
} from './options.js';
export { parseSwitch, switchChoices } from './switches.js';
export { DELAYS, type DelaySettings } from './delays.js';
export type {
  ConsentChangeLine,
  MessageLine,
  Person,
  SandboxAccount,
  TruthLine,
} from './account/account.js';
export { FAULT_KINDS, parseFault, type Fault, type FaultKind } from './account/fault.js';
export { parseLatency, type Latency } from './latency.js';
export type { SubscribedLine } from './account/request-log.js';
export type { SeedProfile } from './account/seeding.js';
