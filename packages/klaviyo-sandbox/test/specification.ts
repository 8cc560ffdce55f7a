import { existsSync, readFileSync } from 'node:fs';

/** The parts of a JSON schema that the tests read themselves. */
export interface Schema {
  enum?: string[];
  items?: Schema;
  default?: number;
  maximum?: number;
}
export interface Parameter {
  name: string;
  in: string;
  schema: Schema;
}
interface Body {
  content?: Record<string, { schema: object }>;
}

/** An operation in the specification. */
export interface SpecifiedOperation {
  revision: 'stable' | 'beta';
  method: string;
  path: string;
  operationId: string;
  'x-klaviyo-scopes': string[];
  'x-klaviyo-ratelimit': { burst: string; steady: string; daily?: string };
  'x-klaviyo-filters'?: Record<string, { operators: Record<string, string[]> }>;
  parameters?: Parameter[];
  requestBody?: Body;
  responses: Record<string, Body | { $ref: string }>;
}

/** One of Klaviyo's documents: the stable revision, or its beta. */
export interface Specification {
  /** The parsed document, for its components. */
  document: object;
  operations: SpecifiedOperation[];
}

const FILES = { stable: 'openapi.json', beta: 'openapi-beta.json' } as const;
/** The folder above the repository, for sources and for the build, which is one level deeper. */
const ABOVE = new URL(
  import.meta.url.includes('/dist/') ? '../../../../../' : '../../../../',
  import.meta.url,
);

export const SPECIFICATION_MISSING =
  "Klaviyo's specification is only beside the repository where it is developed";

/** Undefined if the documents are absent. */
export function readSpecifications(): Specification[] | undefined {
  const files = Object.entries(FILES).map(([revision, name]) => ({
    revision: revision as keyof typeof FILES,
    file: new URL(`shared/klaviyo/${name}`, ABOVE),
  }));
  if (!files.every(({ file }) => existsSync(file))) return undefined;
  return files.map(({ revision, file }) => {
    const document = JSON.parse(readFileSync(file, 'utf8')) as {
      paths: Record<string, Record<string, object>>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) =>
          ({ ...operation, revision, method: method.toUpperCase(), path }) as SpecifiedOperation,
      ),
    );
    return { document, operations };
  });
}
