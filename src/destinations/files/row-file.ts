import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnValue } from '../../consent/record/columns.js';

/** A row: a value for each column, in their order. */
export type RowValues = readonly ColumnValue[];

/** Writes rows in a format; what it wrote goes to a file. */
export interface RowFormat {
  rows(rows: readonly RowValues[]): Uint8Array | string;
  /** What follows the last row. */
  end(): Uint8Array | string;
}

/** A finished file of a snapshot, as the manifest names it. */
export interface SnapshotFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of its bytes, in hexadecimal. */
  readonly sha256: string;
}

/** A new file that its owner alone may read. */
export class RowFile {
  readonly #path: string;
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #format: RowFormat;
  readonly #hash = createHash('sha256');
  #rows = 0;
  #bytes = 0;

  private constructor(folder: string, name: string, handle: FileHandle, format: RowFormat) {
    this.#path = join(folder, name);
    this.#name = name;
    this.#handle = handle;
    this.#format = format;
  }

  static async create(folder: string, name: string, format: RowFormat): Promise<RowFile> {
    const handle = await open(join(folder, name), 'wx', 0o600);
    return new RowFile(folder, name, handle, format);
  }

  async write(rows: readonly RowValues[]): Promise<void> {
    this.#rows += rows.length;
    await this.#append(this.#format.rows(rows));
  }

  /** It is on the disk then. */
  async finish(): Promise<SnapshotFile> {
    await this.#append(this.#format.end());
    await this.#handle.sync();
    await this.#handle.close();
    const sha256 = this.#hash.digest('hex');
    return { name: this.#name, rows: this.#rows, bytes: this.#bytes, sha256 };
  }

  /** Of one that cannot be finished. */
  async remove(): Promise<void> {
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }

  async #append(data: Uint8Array | string): Promise<void> {
    if (data.length === 0) return;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#hash.update(bytes);
    this.#bytes += bytes.byteLength;
    // Writes all of it, at the position after the last write.
    await this.#handle.writeFile(bytes);
  }
}
