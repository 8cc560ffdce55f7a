/**
 * The parsed form of a short text from the command line or a header:
 * `kind[:endpoint][:name=value,...]`.
 */
export interface Directive {
  kind: string;
  /** Operation id, or method and path. */
  endpoint: string | undefined;
  fields: ReadonlyMap<string, string>;
}

/** @throws RangeError naming the part that cannot be read */
export function readDirective(text: string): Directive {
  const [kind = '', ...rest] = text.trim().split(':');
  if (kind === '') throw new RangeError(`"${text}" must begin with a kind`);
  const endpoint = rest[0] !== undefined && !rest[0].includes('=') ? rest.shift() : undefined;
  const fields = new Map<string, string>();
  for (const piece of rest.join(':').split(',')) {
    if (piece === '' && rest.length === 0) break;
    const [name = '', ...value] = piece.split('=');
    if (name === '' || value.length === 0) {
      throw new RangeError(`"${piece}" in "${text}" must be name=value`);
    }
    if (fields.has(name)) throw new RangeError(`"${name}" appears twice in "${text}"`);
    fields.set(name, value.join('='));
  }
  return { kind, endpoint, fields };
}

/**
 * A field of a directive as a JSON value: numbers, `true` and `false` are recognised by their form.
 */
export function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** An operation id, or a method with the path as the specification writes it. */
export function checkEndpoint(endpoint: string | undefined, known: ReadonlySet<string>): void {
  if (endpoint === undefined || known.has(endpoint)) return;
  throw new RangeError(`no operation "${endpoint}"; known are ${[...known].join(', ')}`);
}
