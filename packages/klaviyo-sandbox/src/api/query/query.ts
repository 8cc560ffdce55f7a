import { refuse, refuseParameter } from '../http/errors.js';
import { readFilter, type Condition, type DateRules, type Filterable } from './filter.js';
import { cursorOf, type PageRequest } from '../page.js';

/** The query parameters of an operation and their allowed values. Anything else is a 400. */
export interface QueryRules {
  /** Paths that `fields[<type>]` can name. */
  fields?: Readonly<Record<string, readonly string[]>>;
  /** What `additional-fields[<type>]` can add. */
  additionalFields?: Readonly<Record<string, readonly string[]>>;
  include?: readonly string[];
  /** Fields that `sort` can name, each also with a leading `-`, and the order without `sort`. */
  sort?: { by: readonly string[]; usual: string };
  filter?: Filterable;
  /** Page sizes; `cursor` if the page size is fixed. */
  page?: { default: number; max: number } | 'cursor';
}

export interface Sort {
  field: string;
  descending: boolean;
}

type Attributes = Record<string, unknown>;

/** The query of a request, parsed with the rules of its operation. */
export class Query {
  readonly sort: Sort;
  readonly conditions: readonly Condition[];
  readonly #size: number;
  readonly #fields = new Map<string, readonly (readonly string[])[]>();
  readonly #additional = new Set<string>();
  readonly #included: ReadonlySet<string>;

  /**
   * @param resource type named in the error for an unknown parameter
   * @param now epoch ms by Klaviyo's clock
   * @throws ApiError 400 naming the parameter
   */
  constructor(
    private readonly parameters: URLSearchParams,
    rules: QueryRules,
    {
      resource,
      offsetInFilter,
      now = Date.now(),
    }: { resource: string; offsetInFilter: DateRules['offsets']; now?: number },
  ) {
    checkNames(parameters, parametersOf(rules), resource);
    this.#readFields(rules);
    this.#readAdditionalFields(rules);
    this.#included = this.#readInclude(rules);
    this.sort = this.#readSort(rules);
    const dates = { offsets: offsetInFilter, now };
    this.conditions = readFilter(parameters.get('filter'), rules.filter ?? {}, dates);
    this.#size = this.#readSize(rules);
  }

  includes(name: string): boolean {
    return this.#included.has(name);
  }

  /** Whether `additional-fields[type]` requests the field. */
  adds(type: string, field: string): boolean {
    return this.#additional.has(`${type}.${field}`);
  }

  /** Whether the answer will contain anything in the attribute `name` of such a resource. */
  wants(type: string, name: string): boolean {
    return this.#fields.get(type)?.some(([first]) => first === name) ?? true;
  }

  /** Keeps the attributes named in `fields[<type>]`; all of them if it is absent. */
  pick(type: string, attributes: Attributes): Attributes {
    const paths = this.#fields.get(type);
    if (paths === undefined) return attributes;
    const kept: Attributes = {};
    for (const path of paths) copyPath(attributes, kept, path);
    return kept;
  }

  /** @throws ApiError 400 for a cursor that does not come from a page of this kind */
  page<Cursor>(isCursor: (value: unknown) => value is Cursor): PageRequest<Cursor> {
    return { size: this.#size, after: cursorOf(this.parameters.get('page[cursor]'), isCursor) };
  }

  #readFields({ fields = {} }: QueryRules): void {
    for (const [type, known] of Object.entries(fields)) {
      const parameter = `fields[${type}]`;
      const asked = this.parameters.get(parameter);
      if (asked === null) continue;
      const paths = asked.split(',');
      const unknown = paths.find((path) => !known.includes(path) && !isProperty(path));
      if (unknown !== undefined) {
        throw refuseParameter(
          parameter,
          `'${unknown}' is not an allowed field for the resource '${type}'.`,
        );
      }
      this.#fields.set(
        type,
        paths.map((path) => path.split('.')),
      );
    }
  }

  #readAdditionalFields({ additionalFields = {} }: QueryRules): void {
    for (const [type, known] of Object.entries(additionalFields)) {
      const parameter = `additional-fields[${type}]`;
      for (const field of this.parameters.get(parameter)?.split(',') ?? []) {
        if (!known.includes(field)) {
          throw refuseParameter(
            parameter,
            `'${field}' is not an allowed additional field for the resource '${type}'.`,
          );
        }
        this.#additional.add(`${type}.${field}`);
      }
    }
  }

  #readInclude({ include = [] }: QueryRules): ReadonlySet<string> {
    const asked = this.parameters.get('include')?.split(',') ?? [];
    const unknown = asked.find((name) => !include.includes(name));
    if (unknown === undefined) return new Set(asked);
    // Recorded wording.
    throw refuseParameter(
      'include',
      `'${unknown}' is not an allowed include parameter for this resource.`,
    );
  }

  #readSort({ sort }: QueryRules): Sort {
    if (sort === undefined) return { field: '', descending: false };
    const text = this.parameters.get('sort') ?? sort.usual;
    const descending = text.startsWith('-');
    const field = descending ? text.slice(1) : text;
    if (sort.by.includes(field)) return { field, descending };
    throw refuseParameter('sort', `'${text}' is not an allowed sort parameter for this resource.`);
  }

  #readSize({ page }: QueryRules): number {
    if (page === undefined || page === 'cursor') return FIXED_PAGE;
    const size = this.parameters.get('page[size]') ?? String(page.default);
    if (/^\d+$/.test(size) && Number(size) >= 1 && Number(size) <= page.max) return Number(size);
    throw refuseParameter('page[size]', `Page size must be an integer between 1 and ${page.max}.`);
  }
}

/** The page size if Klaviyo allows no choice: not documented, this number is ours. */
const FIXED_PAGE = 100;

function checkNames(parameters: URLSearchParams, known: readonly string[], resource: string): void {
  const seen = new Set<string>();
  for (const parameter of parameters.keys()) {
    if (!known.includes(parameter)) {
      const field = parameter.split(/\W+/).filter(Boolean).join('_');
      // Recorded wording and place.
      throw refuse(
        `/data/attributes/${field}`,
        `'${field}' is not a valid field for the resource '${resource}'.`,
      );
    }
    // Not recorded; using one of them and dropping the others could hide half of a filter.
    if (seen.has(parameter)) {
      throw refuseParameter(parameter, `'${parameter}' must not be given more than once.`);
    }
    seen.add(parameter);
  }
}

/** Names of the parameters that an operation with these rules knows. */
export function parametersOf(rules: QueryRules): string[] {
  return [
    ...Object.keys(rules.fields ?? {}).map((type) => `fields[${type}]`),
    ...Object.keys(rules.additionalFields ?? {}).map((type) => `additional-fields[${type}]`),
    ...(rules.include === undefined ? [] : ['include']),
    ...(rules.sort === undefined ? [] : ['sort']),
    ...(rules.filter === undefined ? [] : ['filter']),
    ...(rules.page === undefined ? [] : ['page[cursor]']),
    ...(typeof rules.page === 'object' ? ['page[size]'] : []),
  ];
}

/** Custom properties have arbitrary names, which cannot be listed. */
const isProperty = (path: string): boolean => /^(properties|event_properties)\./.test(path);

function copyPath(from: Attributes, to: Attributes, [name, ...rest]: readonly string[]): void {
  if (name === undefined || !(name in from)) return;
  const value = from[name];
  if (rest.length === 0 || !isObject(value)) {
    to[name] = value;
    return;
  }
  const inside = isObject(to[name]) ? to[name] : {};
  to[name] = inside;
  copyPath(value, inside, rest);
}

const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
