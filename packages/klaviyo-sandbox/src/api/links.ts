/** A relationship that shows its links alone. @param self the resource's own link, with a slash at the end */
export function relationTo(
  self: string,
  name: string,
): { links: { self: string; related: string } } {
  return { links: { self: `${self}relationships/${name}/`, related: `${self}${name}/` } };
}
