import { buffer } from 'node:stream/consumers';
import yazl from 'yazl';

/** A zip archive of these files, by their names; in their order. */
export async function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name);
    else zip.addBuffer(Buffer.from(content), name);
  }
  zip.end();
  return buffer(zip.outputStream);
}

/** Signature of an entry of the central directory, which says what is in the archive. */
const CENTRAL = Buffer.from('504b0102', 'hex');

/** The same archive, in which the entry of a file is changed; `entry` begins with its signature. */
export function changedEntry(zip: Buffer, name: string, change: (entry: Buffer) => void): Buffer {
  const copy = Buffer.from(zip);
  for (let at = copy.indexOf(CENTRAL); at !== -1; at = copy.indexOf(CENTRAL, at + 4)) {
    const length = copy.readUInt16LE(at + 28);
    if (copy.subarray(at + 46, at + 46 + length).toString() === name) change(copy.subarray(at));
  }
  return copy;
}
