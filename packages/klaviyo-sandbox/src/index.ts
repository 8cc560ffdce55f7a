export { describeSandbox } from './describe.js';
export { populate, seedLines } from './people/filling.js';
export type { Population } from './people/generator.js';
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
} from './settings/options.js';
export { parseSwitch, switchChoices } from './settings/switches.js';
export { DELAYS, type DelaySettings } from './settings/delays.js';
export type {
  ConsentChangeLine,
  MessageLine,
  Person,
  SandboxAccount,
  TruthLine,
} from './account/account.js';
export { FAULT_KINDS, parseFault, type Fault, type FaultKind } from './account/requests/fault.js';
export { parseLatency, type Latency } from './settings/latency.js';
export type { EndpointCounts, SubscribedLine } from './account/requests/request-log.js';
export type { SeedProfile } from './account/profiles/seeding.js';
export { DEFAULT_LISTS, SANDBOX_KEY } from './settings/defaults.js';
