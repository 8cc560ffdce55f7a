import type { Scenario, Script } from './scenario.js';
import { engine } from './scenarios/engine.js';
import { events } from './scenarios/events.js';
import { importing } from './scenarios/import.js';
import { kill } from './scenarios/kill.js';
import { ledger, ledgerTenMillion } from './scenarios/ledger.js';
import { lifted } from './scenarios/lifted.js';
import { live } from './scenarios/live.js';
import { openJobs } from './scenarios/open-jobs.js';
import { liftedMirror, liveMirror } from './scenarios/mirror.js';
import { since } from './scenarios/since.js';
import { segment } from './scenarios/segment.js';
import { script } from './scenarios/script/script.js';
import { sync, syncEngine } from './scenarios/sync.js';
import { workers } from './scenarios/workers.js';

export const SCENARIOS: readonly (Scenario | Script)[] = [
  ledger,
  ledgerTenMillion,
  importing,
  since,
  lifted,
  live,
  liftedMirror,
  liveMirror,
  engine,
  openJobs,
  events,
  script,
  workers,
  kill,
  sync,
  syncEngine,
  segment,
  {
    name: 'errors',
    line: 'a migration in which a share of all calls fails, by kind of error',
    path: 'bench/errors',
  },
  {
    name: 'cancel',
    line: 'a large migration that is cancelled when a fifth of it is sent',
    path: 'bench/cancel',
  },
  {
    name: 'importers',
    line: 'the importer alone, for each format and database',
    path: 'bench/importers',
  },
  {
    name: 'sandbox',
    line: 'how fast the simulated Klaviyo answers with a million profiles in it',
    path: 'packages/klaviyo-sandbox/bench/sandbox',
  },
];
