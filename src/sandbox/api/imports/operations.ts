import { IMPORT_JOB } from '../field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import { bulkImport, getBulkImport } from './bulk-import.js';

const JOB = { fields: { 'profile-bulk-import-job': IMPORT_JOB } };

export const importOperations: readonly Operation[] = [
  {
    name: 'bulk_import_profiles',
    method: 'POST',
    path: '/api/profile-bulk-import-jobs',
    scopes: ['lists:write', 'profiles:write'],
    limit: TIERS.M,
    query: JOB,
    handle: bulkImport,
  },
  {
    name: 'get_bulk_import_profiles_job',
    method: 'GET',
    path: '/api/profile-bulk-import-jobs/{job_id}',
    scopes: ['lists:read', 'profiles:read'],
    limit: TIERS.M,
    query: JOB,
    handle: getBulkImport,
  },
];
