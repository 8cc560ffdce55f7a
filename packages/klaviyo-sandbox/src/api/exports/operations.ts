import { DOWNLOAD, EXPORT_JOB, NEW_EXPORT_JOB } from '../query/field-paths.js';
import { TIERS, type Operation } from '../operation.js';
import { createExport, downloadExport, getExport } from './exports.js';

const BETA = {
  scopes: ['lists:read', 'profiles:read', 'segments:read'],
  revision: 'beta',
} as const;

export const exportOperations: readonly Operation[] = [
  {
    name: 'create_profile_bulk_export_job_beta',
    method: 'POST',
    path: '/api/profile-bulk-export-jobs',
    ...BETA,
    limit: TIERS.M,
    query: { fields: { 'profile-bulk-export-job': NEW_EXPORT_JOB } },
    handle: createExport,
  },
  {
    name: 'get_profile_bulk_export_job_beta',
    method: 'GET',
    path: '/api/profile-bulk-export-jobs/{job_id}',
    ...BETA,
    limit: TIERS.M,
    query: { fields: { 'profile-bulk-export-job': EXPORT_JOB } },
    handle: getExport,
  },
  {
    name: 'get_download_for_profile_bulk_export_job_beta',
    method: 'GET',
    path: '/api/profile-bulk-export-jobs/{id}/download',
    ...BETA,
    limit: TIERS.S,
    query: { fields: { download: DOWNLOAD } },
    handle: downloadExport,
  },
];
