import type { Specification } from '../specification.js';
import type { SchemaDocument } from './strict-schemas.js';

/**
 * Changes a specification where recorded answers of Klaviyo differ from it: there the sandbox
 * follows the recordings.
 */
export function asRecorded({ document, operations }: Specification): void {
  const { schemas } = (document as SchemaDocument).components;
  // Null on the last and the first page, where the specification has a string or nothing.
  for (const name of ['next', 'prev']) {
    const links = schemas['CollectionLinks']?.properties;
    if (links?.[name] !== undefined) links[name] = { anyOf: [links[name], { type: 'null' }] };
  }
  // Beside `open_tracking`, with the same shape.
  const email = schemas['EmailChannel']?.properties;
  if (email?.['open_tracking'] !== undefined) email['click_tracking'] = email['open_tracking'];
  const merge = operations.find(({ operationId }) => operationId === 'merge_profiles');
  const created = merge?.responses['201'];
  if (merge !== undefined && created !== undefined) merge.responses['202'] = created;
}
