import type { SandboxAccount } from '../../account/account.js';
import type { SuppressionChange, SuppressionTarget } from '../../account/consent/suppressing.js';
import {
  isEmail,
  isObject,
  listOf,
  refuseRows,
  relatedId,
  resourceOf,
  rowPointer,
  rowsOf,
  unknownField,
  type Json,
} from '../http/body.js';
import { invalid, missing, notFound, refuse, type ErrorEntry } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { pageOfFew } from '../small-collection.js';
import { acceptedJob, jobWriter, statusOf, typeOf } from './suppression-resource.js';

const MAX_EMAILS = 100;
const KNOWN = new Set(['profiles']);
const ROW = new Set(['email']);

/** `bulk_suppress_profiles` and `bulk_unsuppress_profiles`: e-mails, or a list, or a segment. */
export function acceptSuppression(change: SuppressionChange) {
  return ({ account, body, query, url }: Call): Reply => {
    const { attributes, relationships } = resourceOf(body, typeOf(change), KNOWN);
    const target = targetOf(account, change, attributes, relationships);
    const job = account.suppressing.accept(change, target);
    return {
      status: 202,
      body: { data: acceptedJob(job, query, url.origin), links: { self: url.href } },
      profiles: job.total,
    };
  };
}

/** `get_bulk_suppress_profiles_job` and its twin. */
export function getSuppressionJob(change: SuppressionChange) {
  return ({ account, id, query, url }: Call): Reply => {
    const job = account.suppressing.job(change, id);
    if (job === undefined) throw notFound(typeOf(change), id);
    const data = jobWriter(account, query, url.origin)(job);
    return { status: 200, body: { data, links: { self: url.href } } };
  };
}

/** `get_bulk_suppress_profiles_jobs` and its twin. */
export function getSuppressionJobs(change: SuppressionChange) {
  return (call: Call): Reply => {
    const { account, query, url } = call;
    const { found, links } = pageOfFew(call, account.suppressing.jobs(change), (job) => {
      const { target } = job;
      return {
        status: statusOf(account, job),
        created: job.createdAt,
        list_id: 'group' in target && target.group === 'list' ? target.id : null,
        segment_id: 'group' in target && target.group === 'segment' ? target.id : null,
      };
    });
    return {
      status: 200,
      body: { data: found.map(jobWriter(account, query, url.origin)), links },
    };
  };
}

/** It is known from trials that it must be exactly one of the three; the wording is ours. */
function targetOf(
  account: SandboxAccount,
  change: SuppressionChange,
  attributes: Json,
  relationships: Json,
): SuppressionTarget {
  const list = listOf(account, relationships);
  const segmentId = relatedId(relationships, 'segment');
  const named = (attributes['profiles'] ?? null) !== null;
  if (Number(named) + Number(list !== null) + Number(segmentId !== null) !== 1) {
    throw refuse(
      '/data',
      "Exactly one of the attribute 'profiles' and the relationships 'list' and 'segment' is required.",
    );
  }
  if (list !== null) return { group: 'list', id: list.id };
  if (segmentId !== null) {
    if (account.segments.get(segmentId) === undefined) {
      const detail = `Segment not found with id ${segmentId}`;
      throw refuse('/data/relationships/segment/data/id', detail);
    }
    return { group: 'segment', id: segmentId };
  }
  const rows = rowsOf(attributes, typeOf(change), MAX_EMAILS).map(emailOf);
  refuseRows(
    account,
    rows.filter((row) => typeof row !== 'string'),
  );
  return { emails: rows.filter((row) => typeof row === 'string') };
}

/** Address of a row as it was written: a row has no other identifier. */
function emailOf(value: unknown, row: number): string | ErrorEntry {
  const pointer = rowPointer(row);
  if (!isObject(value) || value['type'] !== 'profile') {
    return invalid(`${pointer}/type`, "Each profile needs the type 'profile'.");
  }
  const attributes = value['attributes'];
  if (!isObject(attributes)) return missing(`${pointer}/attributes`, 'attributes', 'profile');
  const at = `${pointer}/attributes`;
  const unknown = unknownField(attributes, ROW, at, 'profile');
  if (unknown !== undefined) return unknown;
  const email = attributes['email'] ?? undefined;
  if (email === undefined) return missing(`${at}/email`, 'email', 'profile');
  if (typeof email !== 'string') return invalid(`${at}/email`, 'Not a valid string.');
  const trimmed = email.trim();
  return isEmail(trimmed) ? trimmed : invalid(`${at}/email`, 'Invalid email address');
}
