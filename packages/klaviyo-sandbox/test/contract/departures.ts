import type { Specification } from '../specification.js';
import type { SchemaDocument } from './strict-schemas.js';

/**
 * Changes a specification where recorded answers of Klaviyo's are not as it says: there the sandbox
 * is as recorded.
 */
export function asRecorded({ document, operations }: Specification): void {
  const { schemas } = (document as SchemaDocument).components;
  // Null on the last and the first page, where the specification knows a string or nothing.
  for (const name of ['next', 'prev']) {
    const links = schemas['CollectionLinks']?.properties;
    if (links?.[name] !== undefined) links[name] = { anyOf: [links[name], { type: 'null' }] };
  }
  // Beside `open_tracking`, and of its shape.
  const email = schemas['EmailChannel']?.properties;
  if (email?.['open_tracking'] !== undefined) email['click_tracking'] = email['open_tracking'];
  const merge = operations.find(({ operationId }) => operationId === 'merge_profiles');
  const created = merge?.responses['201'];
  if (merge !== undefined && created !== undefined) merge.responses['202'] = created;
}
