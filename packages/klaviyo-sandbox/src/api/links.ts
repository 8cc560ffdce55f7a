/**
 * A relationship that only shows its links. @param self the resource's own link, with a trailing
 * slash
 */
export function relationTo(
  self: string,
  name: string,
): { links: { self: string; related: string } } {
  return { links: { self: `${self}relationships/${name}/`, related: `${self}${name}/` } };
}
