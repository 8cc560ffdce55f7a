export { consentCheck } from './consent-check.js';
export { consentJob } from './consent-job.js';
export { consentMigration } from './consent-migration.js';
export { consentSegment } from './consent-segment.js';
