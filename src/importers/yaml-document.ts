import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';

/** A place in a file; line and column begin with 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text that is neither YAML nor JSON. The message may quote the text. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  constructor(
    message: string,
    /** Undefined if the parser does not say. */
    readonly place: Place | undefined,
  ) {
    super(message);
  }
}

type Path = readonly PropertyKey[];

/** A parsed file, which still knows where each value is. */
export interface YamlDocument {
  readonly value: unknown;
  /** Where a key or an entry is; where its parent is if it is missing. */
  readonly placeOf: (path: Path) => Place;
  /** Keys that nothing follows, which YAML reads as null. */
  readonly blanks: readonly Path[];
}

/** Reads YAML, or JSON, which is YAML too. Throws `YamlError`. */
export function parseYaml(text: string): YamlDocument {
  try {
    const lines = new LineCounter();
    // The parser's own search for duplicate keys compares each key with all before it.
    const document = parseDocument(text, {
      uniqueKeys: false,
      logLevel: 'error',
      lineCounter: lines,
    });
    const placeAt = (offset: number): Place => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    };
    const [error] = document.errors;
    if (error !== undefined) throw new YamlError(error.message, placeAt(error.pos[0]));
    refuseKeyTwice(document, placeAt);
    return {
      value: document.toJS() as unknown,
      placeOf: (path) => placeAt(offsetOf(document, path)),
      blanks: blanksOf(document),
    };
  } catch (error) {
    // An alias that names nothing, or expands to more than any file has.
    if (error instanceof ReferenceError) throw new YamlError(error.message, undefined);
    // The parser recurses for each bracket.
    if (error instanceof RangeError) {
      throw new YamlError('Its values are nested too deeply', undefined);
    }
    throw error;
  }
}

function refuseKeyTwice(document: Document.Parsed, placeAt: (offset: number) => Place): void {
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        const name = nameOf(key);
        if (keys.has(name)) {
          const at = isNode(key) ? (key.range?.[0] ?? 0) : 0;
          throw new YamlError(`The key ${name.slice(0, 100)} is there twice`, placeAt(at));
        }
        keys.add(name);
      }
    },
  });
}

function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of path) {
    const within = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(within)) {
      node = within.items[Number(part)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else if (isMap(within)) {
      const pair = within.items.find(({ key }) => nameOf(key) === String(part));
      if (pair === undefined) return offset;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else return offset;
  }
  return offset;
}

function blanksOf(document: Document.Parsed): Path[] {
  const blanks: Path[] = [];
  const look = (node: Node | null, path: Path): void => {
    if (isSeq(node)) {
      node.items.forEach((item, index) => isNode(item) && look(item, [...path, index]));
    }
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      const at = [...path, nameOf(key)];
      // `key: null` and `key: ~` have a source text; `key:` has none.
      if (value === null || (isScalar(value) && value.value === null && !value.source)) {
        blanks.push(at);
      } else if (isNode(value)) look(value, at);
    }
  };
  look(document.contents, []);
  return blanks;
}
