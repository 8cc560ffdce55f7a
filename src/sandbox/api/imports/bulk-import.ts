import type { SandboxAccount } from '../../account/account.js';
import type { ImportJob, ImportRow } from '../../account/importing.js';
import { isoDate, isoDateOrNull } from '../../dates.js';
import { phoneVerdict } from '../../phone.js';
import {
  identifier,
  isEmail,
  isObject,
  refuseRows,
  resourceOf,
  rowPointer,
  rowsOf,
} from '../body.js';
import { invalid, missing, notFound, refuse, type ErrorEntry } from '../errors.js';
import type { Call, Reply } from '../operation.js';
import type { Query } from '../query.js';
import { DETAIL_FIELDS } from '../profiles/profile-resource.js';

const MAX_PROFILES = 10_000;
const TYPE = 'profile-bulk-import-job';
const KEPT_MS = 7 * 86_400_000;

/** `bulk_import_profiles`: profiles and list memberships, never consent. */
export function bulkImport({ account, body, query, url }: Call): Reply {
  const { attributes, relationships } = resourceOf(body, TYPE);
  const given = rowsOf(attributes, TYPE, MAX_PROFILES);
  const listIds = listIdsOf(account, relationships['lists']);
  const rows = given.map(importRow);
  refuseRows(
    account,
    rows.filter((row) => 'code' in row),
  );
  const job = account.importing.accept(
    rows.filter((row) => 'identifiers' in row),
    listIds,
  );
  const data = jobWriter(query, url.origin)(job);
  return {
    status: 202,
    body: { data, links: { self: data.links.self } },
    profiles: given.length,
  };
}

/** `get_bulk_import_profiles_job` */
export function getBulkImport({ account, id, query, url }: Call): Reply {
  const job = account.importing.job(id);
  if (job === undefined) throw notFound('profile-bulk-import-job', id);
  const data = jobWriter(query, url.origin)(job);
  return { status: 200, body: { data, links: { self: url.href } } };
}

function listIdsOf(account: SandboxAccount, relation: unknown): string[] {
  const data = isObject(relation) ? relation['data'] : undefined;
  const ids = Array.isArray(data) ? data.map((list) => String(isObject(list) && list['id'])) : [];
  const unknown = ids.find((id) => account.lists.get(id) === undefined);
  if (unknown !== undefined) throw refuse('/data', `List ID ${unknown} does not exist.`);
  return ids;
}

/** A phone that is no phone is not stored, and nobody is told. */
function importRow(value: unknown, row: number): ImportRow | ErrorEntry {
  const pointer = `${rowPointer(row)}/attributes`;
  const attributes = isObject(value) ? value['attributes'] : undefined;
  if (!isObject(attributes)) return missing(pointer, 'attributes', 'profile');
  const email = identifier(attributes['email'])?.toLowerCase() ?? null;
  const given = identifier(attributes['phone_number']);
  if (email !== null && !isEmail(email))
    return invalid(`${pointer}/email`, 'Invalid email address');
  const phone = given !== null && phoneVerdict(given).kind === 'valid' ? given : null;
  if (email === null && phone === null) {
    return invalid(
      pointer,
      'One or more of the following identifiers are required: email, phone_number.',
    );
  }
  const details = Object.fromEntries(
    DETAIL_FIELDS.flatMap((field) => {
      const detail = attributes[field];
      return detail === undefined ? [] : [[field, detail]];
    }),
  );
  return { identifiers: { email, phone }, details };
}

function jobWriter(query: Query, origin: string) {
  return (job: ImportJob) => {
    const self = `${origin}/api/profile-bulk-import-jobs/${job.id}/`;
    return {
      type: TYPE,
      id: job.id,
      attributes: query.pick(TYPE, {
        status: statusOf(job),
        created_at: isoDate(job.createdAt),
        started_at: isoDateOrNull(job.startedAt),
        completed_at: isoDateOrNull(job.completedAt),
        expires_at: isoDate(job.createdAt + KEPT_MS),
        total_count: job.total,
        completed_count: job.completed,
        failed_count: 0,
      }),
      relationships: {
        lists: {
          data: job.listIds.map((id) => ({ type: 'list', id })),
          links: { self: `${self}relationships/lists/`, related: `${self}lists/` },
        },
        profiles: {
          links: { self: `${self}relationships/profiles/`, related: `${self}profiles/` },
        },
        'import-errors': { links: { related: `${self}import-errors/` } },
      },
      links: { self },
    };
  };
}

function statusOf({ startedAt, completedAt }: ImportJob): 'queued' | 'processing' | 'complete' {
  if (completedAt !== null) return 'complete';
  return startedAt === null ? 'queued' : 'processing';
}
