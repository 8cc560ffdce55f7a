import type { SandboxAccount } from '../../account/account.js';
import type { ExportGroup, ExportJob } from '../../account/groups/exporting.js';
import { isoDate } from '../../time/dates.js';
import { isObject, resourceOf, type Json } from '../http/body.js';
import { ApiError, missing, notFound, refuse, single } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { exportSource, isExportable, type Exported } from './export-file.js';

const TYPE = 'profile-bulk-export-job';
const PROPERTIES = '/data/attributes/properties';

/** `create_profile_bulk_export_job_beta` */
export function createExport({ account, body, query, url }: Call): Reply {
  checkInvited(account);
  const { attributes, relationships } = resourceOf(body, TYPE);
  const properties = propertiesOf(attributes['properties'] ?? null);
  const group = groupOf(relationships);
  const find = () => membersOf(account, group);
  if (find() === undefined) {
    const name = group.type === 'list' ? 'List' : 'Segment';
    const pointer = `/data/relationships/${group.type}/data/id`;
    throw refuse(pointer, `${name} not found with id ${group.id}`);
  }
  const job = account.exporting.accept(group, exportSource(account, properties, find));
  const data = resourceFor(job, url.origin, {
    status: job.status,
    created_at: isoDate(job.createdAt),
  });
  const picked = { ...data, attributes: query.pick(TYPE, data.attributes) };
  return { status: 201, body: { data: picked, links: { self: data.links.self } } };
}

/** `get_profile_bulk_export_job_beta` */
export function getExport({ account, id, query, url }: Call): Reply {
  const job = knownJob(account, id);
  const { status, expiresAt, error } = job;
  const complete = status === 'complete' && expiresAt !== null;
  const data = resourceFor(job, url.origin, {
    status,
    result: complete ? { expires_at: isoDate(expiresAt) } : null,
    error,
  });
  const picked = { ...data, attributes: query.pick(TYPE, data.attributes) };
  return { status: 200, body: { data: picked, links: { self: url.href } } };
}

/**
 * `get_download_for_profile_bulk_export_job_beta`. The description says a gzipped file, the schema
 * a document with a link: the switch `exportDownload` decides. Refusals and their wording are ours.
 */
export function downloadExport({ account, id, url }: Call): Reply {
  const { status, file } = knownJob(account, id);
  if (status === 'expired') {
    throw single(410, 'gone', 'Gone.', `The file of the export ${id} has expired.`);
  }
  if (file === null) {
    const detail = `The export ${id} has no file: its status is '${status}'.`;
    throw single(404, 'not_found', 'Not found.', detail);
  }
  if (account.settings.switches.exportDownload === 'link') {
    const data = { type: 'download', links: { self: `${url.origin}/sandbox/exports/${id}` } };
    return { status: 200, body: { data, links: { self: url.href } } };
  }
  return {
    status: 200,
    file: { type: 'application/gzip', content: file },
    headers: { 'content-disposition': `attachment; filename="${id}.csv.gz"` },
  };
}

/** Invite-only is documented; the wording is ours. */
function checkInvited(account: SandboxAccount): void {
  if (account.settings.switches.bulkExport === 'allowed') return;
  throw single(
    403,
    'permission_denied',
    'You do not have permission to perform this action.',
    'Profile bulk export is not enabled for this API key.',
    { pointer: '/data/' },
  );
}

function knownJob(account: SandboxAccount, id: string): ExportJob {
  checkInvited(account);
  const job = account.exporting.job(id);
  if (job === undefined) throw notFound(TYPE, id);
  return job;
}

/** The wording about bad entries is ours. */
function propertiesOf(value: unknown): string[] | null {
  if (value === null) return null;
  if (!Array.isArray(value)) throw refuse(PROPERTIES, 'Not a valid list.');
  return value.map((name: unknown, i) => {
    if (typeof name === 'string' && isExportable(name)) return name;
    throw refuse(`${PROPERTIES}/${i}`, `${JSON.stringify(name)} is not a profile property.`);
  });
}

/** It is documented that either a list or a segment is required; the wording is ours. */
function groupOf(relationships: Json): ExportGroup {
  const given = (['list', 'segment'] as const).filter((type) => isObject(relationships[type]));
  const [type] = given;
  if (type === undefined || given.length > 1) {
    const detail = 'Either a list or a segment must be provided, but not both.';
    throw refuse('/data/relationships', detail);
  }
  const relation = relationships[type];
  const data = isObject(relation) ? relation['data'] : undefined;
  const id = isObject(data) ? data['id'] : undefined;
  if (typeof id === 'string') return { type, id };
  throw new ApiError(400, [missing(`/data/relationships/${type}/data/id`, 'id', type)]);
}

function membersOf(account: SandboxAccount, { type, id }: ExportGroup): Exported | undefined {
  return type === 'list' ? account.lists.get(id) : account.segments.get(id);
}

function resourceFor({ id, group }: ExportJob, origin: string, attributes: Json) {
  const self = `${origin}/api/profile-bulk-export-jobs/${id}/`;
  const { type } = group;
  return {
    type: TYPE,
    id,
    attributes,
    relationships: {
      [type]: {
        data: { type, id: group.id },
        links: { self: `${self}relationships/${type}/`, related: `${self}${type}/` },
      },
    },
    links: { self },
  };
}
