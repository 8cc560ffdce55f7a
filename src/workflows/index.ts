export { confirmationWatch } from './confirmation-watch.js';
export { consentCheck } from './consent-check.js';
export { consentForget } from './consent-forget.js';
export { consentJob } from './consent-job.js';
export { consentMigration } from './consent-migration.js';
export { consentSegment } from './consent-segment.js';
export { consentShow } from './consent-show.js';
export { optOutWatch } from './opt-out-watch.js';
