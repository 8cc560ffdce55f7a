import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { RevisionDate } from '../../src/api/revisions/forms.js';
import type { Parameter, Specification, SpecifiedOperation } from '../specification.js';
import { asRecorded } from './departures.js';
import { revisionOf, type LoggedExchange } from './exchange-files.js';
import { asOf202610 } from './newer-revision.js';
import { StrictSchemas, type JsonSchema, type SchemaDocument } from './strict-schemas.js';

interface Declared {
  operation: SpecifiedOperation;
  specification: Specification;
  /** Prefix of its schema names. */
  name: string;
}

/** Faults whose answers are a proxy's, not Klaviyo's. */
const PROXY_FAULTS = ['html', '502', '504'];
const JSON_API = 'application/vnd.api+json';
const ERROR_MEMBERS = ['id', 'status', 'code', 'title', 'detail', 'source', 'links', 'meta'];
const SOURCE_MEMBERS = ['pointer', 'parameter'];
/** Custom properties have arbitrary names, which the specification cannot list. */
const CUSTOM = /^(properties|event_properties)\./;

/** Validates exchanges against the specification of their revision. */
export class Contract {
  readonly operations: readonly SpecifiedOperation[];
  readonly #declared = new Map<string, Declared>();
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(specifications: readonly Specification[]) {
    addFormats.default(this.#ajv);
    const newer = asOf202610(specifications);
    this.#declare('2026-07-15', specifications);
    this.#declare('2026-10-15', newer);
    this.operations = [...specifications, ...newer].flatMap(({ operations }) => operations);
  }

  #declare(revision: RevisionDate, specifications: readonly Specification[]): void {
    specifications.forEach((specification, i) => {
      const name = `document${i}-${revision}`;
      asRecorded(specification);
      for (const operation of specification.operations) {
        const id = `${revision} ${operation.operationId}`;
        this.#declared.set(id, { operation, specification, name });
      }
    });
  }

  /** The violations in an exchange, one per line. */
  violations(exchange: LoggedExchange): string[] {
    if (exchange.status === null) return [];
    const isError = exchange.status >= 400;
    const skipsAnswer = PROXY_FAULTS.includes(exchange.fault ?? '') && isError;
    if (exchange.operation === null) return skipsAnswer ? [] : errorViolations(exchange);
    const declared = this.#declared.get(`${revisionOf(exchange)} ${exchange.operation}`);
    if (declared === undefined) {
      // An operation that only another revision has, or has under this name, can only refuse.
      if (isError) return errorViolations(exchange);
      return [`no operation ${exchange.operation} is specified in ${revisionOf(exchange)}`];
    }
    const found = [
      ...(isError ? [] : this.#requestViolations(declared, exchange)),
      ...(skipsAnswer ? [] : this.#answerViolations(declared, exchange)),
    ];
    const { operation, status } = exchange;
    return found.map((violation) => `${operation} ${status}: ${violation}`);
  }

  #requestViolations(declared: Declared, exchange: LoggedExchange): string[] {
    const { parameters = [], requestBody } = declared.operation;
    const known = new Map(
      parameters.filter(({ in: place }) => place === 'query').map((one) => [one.name, one]),
    );
    const query = exchange.query.flatMap(([name, value]) => {
      const parameter = known.get(name);
      return parameter === undefined
        ? [`accepted the unknown query parameter ${name}`]
        : parameterViolations(parameter, value);
    });
    const schema = requestBody?.content?.[JSON_API]?.schema;
    if (schema === undefined) return query;
    const validate = this.#validator(declared, 'request', schema, new Set());
    return [...query, ...this.#check('accepted a request', validate, exchange.request_body)];
  }

  #answerViolations(declared: Declared, exchange: LoggedExchange): string[] {
    const { responses, operationId } = declared.operation;
    const status = exchange.status!;
    if (status >= 400) return errorViolations(exchange);
    const response = responses[String(status)];
    if (response === undefined || '$ref' in response) return ['is not a specified status'];
    const type = exchange.response_headers['content-type'] ?? null;
    const schema = response.content?.[JSON_API]?.schema;
    if (schema === undefined) return exchange.response_body === null ? [] : ['must have no body'];
    if (exchange.method === 'HEAD') return [];
    if (type !== JSON_API) {
      const isFile = operationId === 'get_download_for_profile_bulk_export_job_beta';
      return isFile ? [] : [`content-type must be ${JSON_API}; is ${type}`];
    }
    const thinned = exchange.query.flatMap(([name]) => /^fields\[(.+)\]$/.exec(name)?.[1] ?? []);
    const name = `answer ${status}`;
    const strict = this.#validator(declared, name, schema, new Set(thinned));
    return this.#check('answer', strict, exchange.response_body);
  }

  #validator(
    { operation, specification, name }: Declared,
    what: string,
    schema: JsonSchema,
    thinned: ReadonlySet<string>,
  ): ValidateFunction {
    const variant = `${name}-strict-${[...thinned].sort().join('-')}`;
    const key = `${variant} ${operation.operationId} ${what}`;
    let validate = this.#validators.get(key);
    if (validate === undefined) {
      const strict = new StrictSchemas(specification.document as SchemaDocument, thinned);
      if (this.#ajv.schemas[variant] === undefined) {
        this.#ajv.addSchema(strict.definitions(), variant);
      }
      validate = this.#ajv.compile(inDocument(strict.close(schema), variant));
      this.#validators.set(key, validate);
    }
    return validate;
  }

  #check(what: string, validate: ValidateFunction, value: unknown): string[] {
    if (validate(value)) return [];
    return deepest(validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${what}: ${instancePath.replace(/\d+/g, '#')} ${message} ${detailOf(params)}`,
    );
  }
}

/** A schema whose references point into the document of that name. */
function inDocument(schema: JsonSchema, document: string): object {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? `${document}${value}` : value,
  ) as object;
}

/** Of the errors of all alternatives, the ones that got furthest are the most useful. */
function deepest(errors: readonly ErrorObject[]): ErrorObject[] {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length;
  const most = Math.max(...errors.map(depth));
  return errors.filter((error) => depth(error) === most).slice(0, 3);
}

function detailOf(params: Record<string, unknown>): string {
  const named = params['additionalProperty'] ?? params['allowedValues'] ?? '';
  return named === '' ? '' : JSON.stringify(named);
}

function parameterViolations({ name, schema }: Parameter, value: string): string[] {
  const values = schema.enum ?? schema.items?.enum;
  const unknown = value
    .split(',')
    .filter((one) => values?.includes(one) === false && !CUSTOM.test(one));
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  const isOut = Number(value) < (minimum ?? -Infinity) || Number(value) > (maximum ?? Infinity);
  return [
    ...unknown.map((one) => `accepted ${name}=${one}, which is not in its enum`),
    ...(isOut ? [`accepted ${name}=${value}, which is out of its range`] : []),
  ];
}

interface ErrorMembers {
  title?: unknown;
  status?: unknown;
  source?: object;
}

/**
 * `ClientError` and `ServerError` of the specification, closed, with the members that real answers
 * add to them.
 */
function errorViolations({ status, method, ...exchange }: LoggedExchange): string[] {
  if (method === 'HEAD') return [];
  const type = exchange.response_headers['content-type'];
  const body = exchange.response_body as { errors?: ErrorMembers[] } | null;
  const entries = body?.errors;
  if (type !== JSON_API || !Array.isArray(entries) || entries.length === 0) {
    return [`an error must be ${JSON_API} with errors; is ${type} ${JSON.stringify(body)}`];
  }
  return entries.flatMap((entry) => {
    const members = entry as Record<string, unknown>;
    const missing = ['id', 'code', 'title', 'detail'].filter(
      (name) => typeof members[name] !== 'string' || members[name] === '',
    );
    const unknown = Object.keys(entry).filter((name) => !ERROR_MEMBERS.includes(name));
    const sources = Object.keys(entry.source ?? {}).filter(
      (name) => !SOURCE_MEMBERS.includes(name),
    );
    return [
      ...missing.map((name) => `error without ${name}`),
      ...[...unknown, ...sources].map((name) => `error with the unknown member ${name}`),
      ...(entry.title === 'The sandbox failed.' ? [`failed: ${String(members['detail'])}`] : []),
      ...(entry.status === status ? [] : [`error tells the status ${String(entry.status)}`]),
    ];
  });
}
