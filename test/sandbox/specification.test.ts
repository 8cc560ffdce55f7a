import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPERATIONS } from '../../src/sandbox/api/operations.js';

interface SpecOperation {
  operationId: string;
  'x-klaviyo-scopes': string[];
  'x-klaviyo-ratelimit': { burst: string; steady: string; daily?: string };
  parameters?: { name: string; in: string }[];
}
interface Specification {
  paths: Record<string, Record<string, SpecOperation>>;
}

const SPECIFICATIONS = { stable: 'openapi.json', beta: 'openapi-beta.json' } as const;
/** The folder above the repository, from the sources as from the build, which is a level deeper. */
const above = new URL(
  import.meta.url.includes('/dist/') ? '../../../../' : '../../../',
  import.meta.url,
);
const fileOf = (name: string) => new URL(`shared/klaviyo/${name}`, above);
const here = Object.values(SPECIFICATIONS).every((name) => existsSync(fileOf(name)));

test(
  'scopes, limits and parameters are those of the specification',
  {
    skip: here ? false : 'the specification lies beside the repository only where it is developed',
  },
  () => {
    for (const [revision, file] of Object.entries(SPECIFICATIONS)) {
      const { paths } = JSON.parse(readFileSync(fileOf(file), 'utf8')) as Specification;
      for (const operation of OPERATIONS.filter((one) => one.revision === revision)) {
        const path = Object.keys(paths).find(
          (name) => name.replace(/\{\w+\}/, '{id}') === operation.path,
        );
        assert.ok(path !== undefined, operation.path);
        const spec = paths[path]![operation.method.toLowerCase()]!;
        assert.equal(operation.name, spec.operationId);
        assert.deepEqual([...operation.scopes].sort(), [...spec['x-klaviyo-scopes']].sort(), path);
        const { burst, steady, daily } = spec['x-klaviyo-ratelimit'];
        assert.deepEqual(
          [`${operation.limit.burst}/s`, `${operation.limit.steady}/m`, operation.limit.day],
          [burst, steady, daily === undefined ? undefined : parseInt(daily, 10)],
          operation.name,
        );
        const known = new Set((spec.parameters ?? []).map(({ name }) => name));
        for (const parameter of operation.parameters) {
          assert.ok(known.has(parameter), `${operation.name} has no ${parameter}`);
        }
      }
    }
  },
);
