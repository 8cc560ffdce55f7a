export { confirmationWatch } from './migration/confirmation-watch.js';
export { consentCheck } from './migration/consent-check.js';
export { consentForget } from './person/consent-forget.js';
export { consentJob } from './migration/consent-job.js';
export { consentMigration } from './migration/consent-migration.js';
export { consentBatch } from './migration/consent-batch.js';
export { consentShow } from './person/consent-show.js';
export { optOutWatch } from './opt-outs/opt-out-watch.js';
