/** The parts of a JSON schema that are rewritten here. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  required?: string[];
  items?: JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

export interface SchemaDocument {
  components: { schemas: Record<string, JsonSchema> };
}

const COMPONENT = '#/components/schemas/';
const OPTIONAL = '#/optional/';

/**
 * Schemas that refuse members outside the specification, and allow attributes of the types in
 * `thinned` to be absent, because sparse fieldsets leave them out.
 */
export class StrictSchemas {
  constructor(
    private readonly document: SchemaDocument,
    private readonly thinned: ReadonlySet<string>,
  ) {}

  /** The components, and under `optional` the same with nothing required, for references. */
  definitions(): { components: { schemas: object }; optional: object } {
    return { components: { schemas: this.#all(false) }, optional: this.#all(true) };
  }

  /** @param optional whether nothing in it is required */
  close(schema: JsonSchema, optional = false): JsonSchema {
    if (schema.$ref !== undefined) {
      return optional ? { $ref: schema.$ref.replace(COMPONENT, OPTIONAL) } : schema;
    }
    if (schema.allOf !== undefined) return this.close(this.#merged(schema), optional);
    const closed: JsonSchema = { ...schema };
    if (optional) delete closed.required;
    const each = (schemas: JsonSchema[]) => schemas.map((one) => this.close(one, optional));
    if (schema.items !== undefined) closed.items = this.close(schema.items, optional);
    if (schema.anyOf !== undefined) closed.anyOf = each(schema.anyOf);
    if (schema.oneOf !== undefined) closed.oneOf = each(schema.oneOf);
    if (schema.properties === undefined) return closed;
    closed.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => {
        const isThinned = name === 'attributes' && this.thinned.has(this.#typeOf(schema));
        return [name, this.close(property, optional || isThinned)];
      }),
    );
    closed.additionalProperties ??= false;
    return closed;
  }

  #all(optional: boolean): object {
    const { schemas } = this.document.components;
    return Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, this.close(schema, optional)]),
    );
  }

  /** Resource type of a schema; '' for none. */
  #typeOf({ properties }: JsonSchema): string {
    const type = properties?.['type'];
    const [name] = type === undefined ? [] : (this.#resolve(type).enum ?? []);
    return typeof name === 'string' ? name : '';
  }

  #resolve(schema: JsonSchema): JsonSchema {
    if (schema.$ref === undefined) return schema;
    const found = this.document.components.schemas[schema.$ref.slice(COMPONENT.length)];
    if (found === undefined) throw new Error(`no schema ${schema.$ref}`);
    return this.#resolve(found);
  }

  /** One schema instead of several that must all match: only a single one can be closed. */
  #merged({ allOf = [], ...rest }: JsonSchema): JsonSchema {
    return [...allOf, rest].reduce((one, other) => this.#merge(one, other), {});
  }

  #merge(first: JsonSchema, second: JsonSchema): JsonSchema {
    const [one, other] = [this.#resolve(first), this.#resolve(second)].map((schema) =>
      schema.allOf === undefined ? schema : this.#merged(schema),
    ) as [JsonSchema, JsonSchema];
    const merged: JsonSchema = { ...one, ...other };
    if (one.properties !== undefined && other.properties !== undefined) {
      merged.properties = { ...one.properties };
      for (const [name, property] of Object.entries(other.properties)) {
        const present = merged.properties[name];
        merged.properties[name] = present === undefined ? property : this.#merge(present, property);
      }
    }
    if (one.required !== undefined && other.required !== undefined) {
      merged.required = [...new Set([...one.required, ...other.required])];
    }
    return merged;
  }
}
