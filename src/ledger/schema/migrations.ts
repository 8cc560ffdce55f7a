import type { Migration } from 'kysely';
import * as intentsAndJobs from './0001-migrations-intents-and-jobs.js';
import * as channelsAndShares from './0002-channels-shares-and-retries.js';
import * as personRequests from './0003-person-requests.js';
import * as fewerIndexes from './0004-fewer-indexes-on-people.js';
import * as nothingReserved from './0005-nothing-reserved-beyond-a-share.js';
import * as accountsAndStops from './0006-accounts-stops-and-feed-pages.js';
import * as optOuts from './0007-opt-outs-and-repairs.js';
import * as peopleGo from './0008-people-go-with-their-migration.js';
import * as runs from './0009-runs.js';
import * as operationAndSettledBy from './0010-operation-and-settled-by.js';
import * as plansInRanges from './0011-plans-in-ranges-of-jobs.js';
import * as whenSubmitEnded from './0012-when-a-submit-ended.js';
import * as peopleOnce from './0013-people-are-written-once.js';
import * as lookUpsByTime from './0014-look-ups-by-due-time.js';
import * as accountsPeople from './0015-the-accounts-people.js';
import * as suppressionsApart from './0016-suppressions-are-parts.js';
import * as programOfMigration from './0017-program-of-a-migration.js';
import * as appliedPrograms from './0018-lists-and-applied-programs.js';
import * as syncs from './0021-syncs.js';
import * as whoWasAsked from './0022-who-was-asked.js';
import * as moves from './0023-people-move-from-list-to-list.js';
import * as givenConsent from './0024-consent-given-by-programs.js';
import * as erasure from './0026-people-are-erased.js';
import * as webhooks from './0027-webhooks.js';
import * as listMembersAndLags from './0028-list-members-and-lags-of-syncs.js';
import * as segments from './0029-segments.js';
import * as whenForgotten from './0030-when-people-were-forgotten.js';
import * as segmentsAtKlaviyo from './0032-parts-of-segments-that-may-be-at-klaviyo.js';
import * as activations from './0033-activations.js';
import * as endedSegments from './0034-segments-that-ended.js';

/** In order. Every ledger stores these names. */
export const SCHEMA_MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-migrations-intents-and-jobs': intentsAndJobs,
  '0002-channels-shares-and-retries': channelsAndShares,
  '0003-person-requests': personRequests,
  '0004-fewer-indexes-on-people': fewerIndexes,
  '0005-nothing-reserved-beyond-a-share': nothingReserved,
  '0006-accounts-stops-and-feed-pages': accountsAndStops,
  '0007-opt-outs-and-repairs': optOuts,
  '0008-people-go-with-their-migration': peopleGo,
  '0009-runs': runs,
  '0010-operation-and-settled-by': operationAndSettledBy,
  '0011-plans-in-ranges-of-jobs': plansInRanges,
  '0012-when-a-submit-ended': whenSubmitEnded,
  '0013-people-are-written-once': peopleOnce,
  '0014-look-ups-by-due-time': lookUpsByTime,
  '0015-the-accounts-people': accountsPeople,
  '0016-suppressions-are-parts': suppressionsApart,
  '0017-program-of-a-migration': programOfMigration,
  '0018-lists-and-applied-programs': appliedPrograms,
  '0021-syncs': syncs,
  '0022-who-was-asked': whoWasAsked,
  '0023-people-move-from-list-to-list': moves,
  '0024-consent-given-by-programs': givenConsent,
  '0026-people-are-erased': erasure,
  '0027-webhooks': webhooks,
  '0028-list-members-and-lags-of-syncs': listMembersAndLags,
  '0029-segments': segments,
  '0030-when-people-were-forgotten': whenForgotten,
  '0032-parts-of-segments-that-may-be-at-klaviyo': segmentsAtKlaviyo,
  '0033-activations': activations,
  '0034-segments-that-ended': endedSegments,
};

/** Keys that were stored before the first release, by what they are called now. */
export const FORMER_KEYS: Readonly<Record<string, string>> = {
  '0001-first-form': '0001-migrations-intents-and-jobs',
  '0002-all-channels': '0002-channels-shares-and-retries',
  '0004-lean-rows': '0004-fewer-indexes-on-people',
  '0005-shares-aside': '0005-nothing-reserved-beyond-a-share',
  '0006-accounts-and-stops': '0006-accounts-stops-and-feed-pages',
  '0007-opt-outs': '0007-opt-outs-and-repairs',
  '0008-people-go-with-their-run': '0008-people-go-with-their-migration',
};
