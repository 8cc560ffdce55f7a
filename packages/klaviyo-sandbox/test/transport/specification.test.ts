import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPERATIONS } from '../../src/api/operations.js';
import type { Operation } from '../../src/api/operation.js';
import { REVISIONS } from '../../src/api/revisions/forms.js';
import { operationAt } from '../../src/api/revisions/operations.js';
import { asOf202610 } from '../contract/newer-revision.js';
import {
  readSpecifications,
  SPECIFICATION_MISSING,
  type SpecifiedOperation,
} from '../specification.js';

const specifications = readSpecifications();
const skip = specifications === undefined ? SPECIFICATION_MISSING : false;

for (const date of REVISIONS) {
  const documents = date === '2026-07-15' ? specifications : asOf202610(specifications ?? []);
  const specified = documents?.flatMap(({ operations }) => operations) ?? [];
  const known = OPERATIONS.flatMap((operation) => operationAt(operation, date) ?? []);
  describe(`the table of operations of ${date}`, { skip }, () => asSpecified(known, specified));
}

function asSpecified(known: readonly Operation[], specified: readonly SpecifiedOperation[]): void {
  it('has exactly the operations of the specification', () => {
    const names = (of: readonly { method: string; path: string }[]) =>
      of.map(({ method, path }) => `${method} ${path}`).sort();
    assert.deepEqual(names(known), names(specified));
  });

  for (const spec of specified) {
    const operation = known.find(
      ({ method, path }) => method === spec.method && path === spec.path,
    );
    it(`${spec.operationId} follows the specification`, () => {
      assert.ok(operation !== undefined, `${spec.method} ${spec.path} is missing`);
      assert.deepEqual(rulesOf(operation), specifiedRules(spec));
    });
  }
}

function rulesOf({ name, scopes, limit, revision, query = {} }: Operation) {
  const { fields = {}, additionalFields = {}, include, sort, filter = {}, page } = query;
  return {
    name,
    revision: revision ?? 'stable',
    scopes: [...scopes].sort(),
    limit: [`${limit.burst}/s`, `${limit.steady}/m`, limit.day],
    parameters: sortedRecord([
      ...Object.entries(fields).map(([type, paths]) => [`fields[${type}]`, paths] as const),
      ...Object.entries(additionalFields).map(
        ([type, names]) => [`additional-fields[${type}]`, names] as const,
      ),
      ...(include === undefined ? [] : [['include', include] as const]),
      ...(sort === undefined ? [] : [['sort', sort.by.flatMap((by) => [by, `-${by}`])] as const]),
    ]),
    filter: sortedRecord(
      Object.entries(filter).map(([field, { operators }]) => [field, operators] as const),
    ),
    page: typeof page === 'object' ? [page.default, page.max] : (page ?? 'none'),
  };
}

function specifiedRules(spec: SpecifiedOperation): ReturnType<typeof rulesOf> {
  const { burst, steady, daily } = spec['x-klaviyo-ratelimit'];
  const parameters = (spec.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const size = parameters.find(({ name }) => name === 'page[size]')?.schema;
  const cursor = parameters.some(({ name }) => name === 'page[cursor]');
  const filter = spec['x-klaviyo-filters'] ?? {};
  return {
    name: spec.operationId,
    revision: spec.revision,
    scopes: [...spec['x-klaviyo-scopes']].sort(),
    limit: [burst, steady, daily === undefined ? undefined : parseInt(daily, 10)],
    parameters: sortedRecord(
      parameters.flatMap(({ name, schema }) => {
        const values = schema.enum ?? schema.items?.enum;
        return values === undefined ? [] : [[name, values] as const];
      }),
    ),
    filter: sortedRecord(
      Object.entries(filter).map(
        ([field, { operators }]) => [field, [...new Set(Object.values(operators).flat())]] as const,
      ),
    ),
    page:
      size === undefined
        ? cursor
          ? 'cursor'
          : 'none'
        : [Number(size.default), Number(size.maximum)],
  };
}

function sortedRecord(
  entries: readonly (readonly [string, readonly string[]])[],
): Record<string, string[]> {
  return Object.fromEntries(
    entries
      .map(([name, values]) => [name, [...values].sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
