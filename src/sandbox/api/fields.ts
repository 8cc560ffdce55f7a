import { refuseParameter } from './errors.js';

type Attributes = Record<string, unknown>;

/** Keeps what `fields[<type>]` names; everything where it is absent. Paths reach inside objects. */
export function sparse(
  query: URLSearchParams,
  type: string,
  known: readonly string[],
): (attributes: Attributes) => Attributes {
  const parameter = `fields[${type}]`;
  const asked = query.get(parameter);
  if (asked === null) return (attributes: Attributes): Attributes => attributes;
  const paths = asked.split(',').map((path) => path.split('.'));
  const unknown = paths.find(([first]) => !known.includes(first!));
  if (unknown !== undefined) {
    throw refuseParameter(
      parameter,
      `'${unknown.join('.')}' is not an allowed field for the resource '${type}'.`,
    );
  }
  return (attributes: Attributes): Attributes => {
    const kept: Attributes = {};
    for (const path of paths) copyPath(attributes, kept, path);
    return kept;
  };
}

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

/** Values of `additional-fields[<type>]`. */
export function additionalFields(
  query: URLSearchParams,
  type: string,
  known: readonly string[],
): ReadonlySet<string> {
  const parameter = `additional-fields[${type}]`;
  const asked = query.get(parameter)?.split(',') ?? [];
  const unknown = asked.find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw refuseParameter(
      parameter,
      `'${unknown}' is not an allowed additional field for the resource '${type}'.`,
    );
  }
  return new Set(asked);
}
