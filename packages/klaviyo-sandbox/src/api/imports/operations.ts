import { IMPORT_ERROR, IMPORT_JOB, LIST, PROFILE } from '../query/field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import { ADDITIONAL } from '../profiles/query-rules.js';
import { bulkImport } from './bulk-import.js';
import {
  getBulkImport,
  getBulkImports,
  getImportedProfileIds,
  getImportedProfiles,
  getImportErrors,
  getImportListIds,
} from './jobs.js';

const JOBS = '/api/profile-bulk-import-jobs';
const FIELDS = { 'profile-bulk-import-job': IMPORT_JOB };
const PAGE = { default: 20, max: 100 };

export const importOperations: readonly Operation[] = [
  {
    name: 'get_bulk_import_profiles_jobs',
    method: 'GET',
    path: JOBS,
    scopes: ['lists:read', 'profiles:read'],
    limit: TIERS.M,
    query: {
      fields: FIELDS,
      filter: {
        status: {
          operators: ['any', 'equals'],
          kind: 'text',
          values: ['queued', 'processing', 'complete'],
        },
      },
      sort: { by: ['created_at'], usual: 'created_at' },
      page: PAGE,
    },
    handle: getBulkImports,
  },
  {
    name: 'bulk_import_profiles',
    method: 'POST',
    path: JOBS,
    scopes: ['lists:write', 'profiles:write'],
    limit: TIERS.M,
    query: { fields: FIELDS },
    handle: bulkImport,
  },
  {
    name: 'get_bulk_import_profiles_job',
    method: 'GET',
    path: `${JOBS}/{job_id}`,
    scopes: ['lists:read', 'profiles:read'],
    limit: TIERS.M,
    query: { fields: { ...FIELDS, list: LIST }, include: ['lists'] },
    handle: getBulkImport,
  },
  {
    name: 'get_errors_for_bulk_import_profiles_job',
    method: 'GET',
    path: `${JOBS}/{id}/import-errors`,
    scopes: ['profiles:read'],
    limit: TIERS.M,
    query: { fields: { 'import-error': IMPORT_ERROR }, page: PAGE },
    handle: getImportErrors,
  },
  {
    name: 'get_profiles_for_bulk_import_profiles_job',
    method: 'GET',
    path: `${JOBS}/{id}/profiles`,
    scopes: ['profiles:read'],
    limit: TIERS.M,
    query: { fields: { profile: PROFILE }, additionalFields: ADDITIONAL, page: PAGE },
    handle: getImportedProfiles,
  },
  {
    name: 'get_profile_ids_for_bulk_import_profiles_job',
    method: 'GET',
    path: `${JOBS}/{id}/relationships/profiles`,
    scopes: ['profiles:read'],
    limit: TIERS.M,
    query: { page: PAGE },
    handle: getImportedProfileIds,
  },
  {
    name: 'get_list_ids_for_bulk_import_profiles_job',
    method: 'GET',
    path: `${JOBS}/{id}/relationships/lists`,
    scopes: ['lists:read'],
    limit: TIERS.M,
    handle: getImportListIds,
  },
];
