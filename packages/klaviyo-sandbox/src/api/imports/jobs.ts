import type { SandboxAccount } from '../../account/account.js';
import { statusOf, type ImportError, type ImportJob } from '../../account/profiles/importing.js';
import { notFound } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { profileWriter } from '../profiles/resource/profile-resource.js';
import { pageOfFew } from '../small-collection.js';
import { includedLists, jobWriter, listIdentifiers, TYPE } from './job-resource.js';

/** `get_bulk_import_profiles_jobs`: those of the last seven days. */
export function getBulkImports(call: Call): Reply {
  const { account, query, url } = call;
  const { found, links } = pageOfFew(call, account.importing.jobs(), (job) => ({
    status: statusOf(job),
    created_at: job.createdAt,
  }));
  return { status: 200, body: { data: found.map(jobWriter(query, url.origin)), links } };
}

/** `get_bulk_import_profiles_job` */
export function getBulkImport({ account, id, query, url }: Call): Reply {
  const job = knownJob(account, id);
  const data = jobWriter(query, url.origin)(job);
  const included = includedLists(account, job, query, url.origin);
  return { status: 200, body: { data, ...included, links: { self: url.href } } };
}

/** `get_errors_for_bulk_import_profiles_job`, in the order in which the rows failed. */
export function getImportErrors({ account, id, query, url }: Call): Reply {
  const { errors } = knownJob(account, id);
  const { size, after } = query.page(isPlace);
  const first = after === null ? 0 : after + 1;
  const data = errors.slice(first, first + size).map((error) => ({
    type: 'import-error',
    id: error.id,
    attributes: query.pick('import-error', attributesOf(error)),
  }));
  const last = first + size < errors.length ? first + size - 1 : null;
  return { status: 200, body: { data, links: linksOf(url, last) } };
}

/** `get_profiles_for_bulk_import_profiles_job`, in the order of the request. */
export function getImportedProfiles(call: Call): Reply {
  const write = profileWriter(call.account, call.query, call.url.origin);
  return pageOfImported(call, (index) => write(index));
}

/** `get_profile_ids_for_bulk_import_profiles_job` */
export function getImportedProfileIds(call: Call): Reply {
  const { profiles } = call.account;
  return pageOfImported(call, (index) => ({ type: 'profile', id: profiles.id(index) }));
}

/** `get_list_ids_for_bulk_import_profiles_job` */
export function getImportListIds({ account, id, url }: Call): Reply {
  const data = listIdentifiers(knownJob(account, id));
  return { status: 200, body: { data, links: { self: url.href } } };
}

function pageOfImported(
  { account, id, query, url }: Call,
  write: (index: number) => object,
): Reply {
  const job = knownJob(account, id);
  const { size, after } = query.page(isPlace);
  const data: object[] = [];
  let last = -1;
  for (const { row, index } of account.importing.profilesOf(job.id, (after ?? -1) + 1)) {
    if (data.length === size) return { status: 200, body: { data, links: linksOf(url, last) } };
    data.push(write(index));
    last = row;
  }
  return { status: 200, body: { data, links: linksOf(url, null) } };
}

const attributesOf = ({ code, title, detail, source, original }: ImportError) => ({
  code,
  title,
  detail,
  source,
  original_payload: original,
});

/** @throws ApiError 404, also for an expired job */
function knownJob(account: SandboxAccount, id: string): ImportJob {
  const job = account.importing.job(id);
  if (job === undefined) throw notFound(TYPE, id);
  return job;
}

const isPlace = (value: unknown): value is number => Number.isSafeInteger(value);
