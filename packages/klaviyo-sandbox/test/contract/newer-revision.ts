import type { Parameter, Specification, SpecifiedOperation } from '../specification.js';
import type { JsonSchema, SchemaDocument } from './strict-schemas.js';

const GENERAL = { XS: { burst: '1/s', steady: '15/m' }, S: { burst: '3/s', steady: '60/m' } };
const SENDER = 'text-messaging-sender';
const REGISTRATION = 'text-messaging-sender-registration';
const JSON_API = 'application/vnd.api+json';
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/**
 * The specification of 2026-10-15 as far as it is known: that of 2026-07-15 with the differences
 * between the official Python clients 24.0.0 and 25.0.0. Klaviyo's own document of it was not
 * available.
 */
export function asOf202610(specifications: readonly Specification[]): Specification[] {
  const changed = structuredClone([...specifications]);
  for (const { document, operations } of changed) {
    const { schemas } = (document as SchemaDocument).components;
    addClickTracking(schemas, operations);
    movePushMeta(schemas);
    addAgentHints(schemas);
  }
  for (const specification of changed) leaveBeta(specification);
  return changed;
}

type Schemas = Record<string, JsonSchema>;

/** Beside open tracking, with the same shape, wherever that appears. */
function addClickTracking(schemas: Schemas, operations: readonly SpecifiedOperation[]): void {
  for (const name of [
    'EmailChannel',
    'EmailSubscriptionParameters',
    'EmailUnsubscriptionParameters',
  ]) {
    const properties = schemas[name]?.properties;
    const open = properties?.['open_tracking'];
    if (properties !== undefined && open !== undefined) properties['click_tracking'] = open;
  }
  // Assumed: the client does not say what `fields` can name.
  for (const { schema } of operations.flatMap(({ parameters }) => parameters ?? [])) {
    const paths = schema.items?.enum;
    const open = paths?.filter((path) => /^subscriptions\.email\.open_tracking/.test(path)) ?? [];
    paths?.push(...open.map((path) => path.replace('open_tracking', 'click_tracking')));
  }
}

/** `meta` of a push token's profile moved from inside its attributes to beside them. */
function movePushMeta(schemas: Schemas): void {
  const properties = schemas['PushProfileUpsertQueryResourceObject']?.properties;
  const attributes = properties?.['attributes']?.properties;
  if (properties === undefined || attributes?.['meta'] === undefined) return;
  properties['meta'] = attributes['meta'];
  delete attributes['meta'];
}

/** Answers of former beta operations may also have `meta.agent_hints.next_steps`: texts. */
function addAgentHints(schemas: Schemas): void {
  const hints = {
    type: 'object',
    properties: { next_steps: { type: 'array', items: { type: 'string' } } },
  };
  const meta = { type: 'object', properties: { agent_hints: hints } };
  for (const [name, schema] of Object.entries(schemas)) {
    if (!/^(Get|Post|Patch)\w*Response(?!Object)/.test(name)) continue;
    if (schema.properties?.['data'] !== undefined) schema.properties['meta'] ??= meta;
  }
}

/**
 * Text messaging left the beta, with names without `_beta`, other limits and two more operations.
 */
function leaveBeta({ document, operations }: Specification): void {
  const texting = operations.filter(({ path }) => path.startsWith('/api/text-messaging-'));
  for (const operation of texting) {
    operation.revision = 'stable';
    operation.operationId = operation.operationId.replace(/_beta$/, '');
    operation['x-klaviyo-ratelimit'] = operation.method === 'GET' ? GENERAL.S : GENERAL.XS;
  }
  const byName = (id: string) => texting.find(({ operationId }) => operationId === id);
  const one = byName('get_text_messaging_sender');
  const made = byName('create_text_messaging_sender');
  if (one === undefined || made === undefined) return;
  const query = (one.parameters ?? []).filter(({ in: place }) => place === 'query');
  const headers = (one.parameters ?? []).filter(({ in: place }) => place !== 'query');
  made.parameters = [...headers.filter(({ in: place }) => place === 'header'), ...query];
  const { schemas } = (document as SchemaDocument).components;
  addIncluded(
    schemas,
    'PostTextMessagingSenderResponse',
    'TextMessagingSenderRegistrationResponseObjectResource',
  );
  schemas['RegistrationWithSender'] = {
    ...schemas['GetTextMessagingSenderRegistrationResponse'],
    properties: {
      ...schemas['GetTextMessagingSenderRegistrationResponse']?.properties,
      data: ref('TextMessagingSenderRegistrationResponseObjectResource'),
    },
  };
  addIncluded(schemas, 'RegistrationWithSender', 'TextMessagingSenderResponseObjectResource');
  schemas['RegistrationCreateQuery'] = registrationQuery(schemas);
  const answer = { content: { [JSON_API]: { schema: ref('RegistrationWithSender') } } };
  const both = query.map(includingSender);
  const path = `/api/${REGISTRATION}s`;
  operations.push(
    {
      ...one,
      path: `${path}/{id}`,
      operationId: 'get_text_messaging_sender_registration',
      parameters: [...headers, ...both],
      responses: { 200: answer },
    },
    {
      ...made,
      path,
      operationId: 'create_text_messaging_sender_registration',
      parameters: both,
      requestBody: { content: { [JSON_API]: { schema: ref('RegistrationCreateQuery') } } },
      responses: { 201: answer },
    },
  );
}

function addIncluded(schemas: Schemas, name: string, included: string): void {
  const properties = schemas[name]?.properties;
  if (properties !== undefined) properties['included'] = { type: 'array', items: ref(included) };
}

const includingSender = (parameter: Parameter): Parameter =>
  parameter.name === 'include'
    ? { ...parameter, schema: { ...parameter.schema, items: { enum: [SENDER] } } }
    : parameter;

/** The form that creates a sender, and the sender's id. */
function registrationQuery(schemas: Schemas): JsonSchema {
  const form = schemas['TollFreeRegistrationDetailsResourceObject'];
  const sender = {
    type: 'object',
    properties: { type: { enum: [SENDER] }, id: { type: 'string' } },
  };
  const relation = { type: 'object', properties: { data: sender } };
  return {
    type: 'object',
    required: ['data'],
    properties: {
      data: {
        ...form,
        properties: {
          ...form?.properties,
          relationships: { type: 'object', properties: { [SENDER]: relation } },
        },
      },
    },
  };
}
