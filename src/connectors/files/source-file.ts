import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SourceError } from '../source-error.js';

const CHUNK_BYTES = 262_144;

/**
 * A file that is opened once and read several times, for its header, its hash and its rows. A file
 * that replaces it meanwhile is not read. If this one is written to, two whole readings never
 * differ without an error.
 */
export class SourceFile {
  #sha256: string | null = null;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly sizeAtOpening: number,
  ) {}

  /** @throws SourceError */
  static async open(path: string): Promise<SourceFile> {
    return orUnreadable(path, async () => {
      const handle = await open(path);
      try {
        const stat = await handle.stat();
        if (stat.isFile()) return new SourceFile(path, handle, stat.size);
        if (!stat.isFIFO() && !stat.isSocket()) throw noFile(path, stat.isDirectory());
        const copy = await copyOf(handle);
        await handle.close();
        return new SourceFile(path, copy, (await copy.stat()).size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /** For reading at any place; it is valid until `close`. */
  get fd(): number {
    return this.handle.fd;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  /** Current size in bytes. Throws `SourceError`. */
  async size(): Promise<number> {
    return (await orUnreadable(this.path, () => this.handle.stat())).size;
  }

  /** The first bytes, or fewer if the file is shorter. Throws `SourceError`. */
  async firstBytes(count: number): Promise<Buffer> {
    return orUnreadable(this.path, async () => {
      const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(count), 0, count, 0);
      return buffer.subarray(0, bytesRead);
    });
  }

  /**
   * Its bytes in pieces; each call starts from the beginning.
   *
   * @throws SourceError at the end, if the size has changed since the opening or the bytes differ
   * from the first whole reading
   */
  async *bytes(): AsyncGenerator<Buffer, void, undefined> {
    const hash = createHash('sha256');
    let position = 0;
    for (;;) {
      const at = position;
      const piece = await orUnreadable(this.path, () =>
        this.handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at),
      );
      if (piece.bytesRead === 0) break;
      position += piece.bytesRead;
      const bytes = piece.buffer.subarray(0, piece.bytesRead);
      hash.update(bytes);
      yield bytes;
    }
    const sha256 = hash.digest('hex');
    this.#sha256 ??= sha256;
    if (position !== this.sizeAtOpening || this.#sha256 !== sha256) throw changed(this.path);
  }

  /** Hexadecimal SHA-256 of its bytes at the first whole reading. Throws `SourceError`. */
  async sha256(): Promise<string> {
    if (this.#sha256 === null) for await (const bytes of this.bytes()) void bytes;
    if (this.#sha256 === null) throw new Error(`${this.path} was not read to its end`);
    return this.#sha256;
  }
}

/** A pipe can be read only once, so it is copied to a file that no other user can open. */
async function copyOf(pipe: FileHandle): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'consentry-source-'));
  const path = join(folder, 'piped');
  try {
    const copy = await open(path, 'wx+', 0o600);
    try {
      // It stays readable until it is closed, and is gone if this process is killed.
      if (process.platform !== 'win32') await rm(folder, { recursive: true });
      for await (const bytes of pipe.createReadStream({ autoClose: false }))
        await copy.appendFile(bytes as Buffer);
      return copy;
    } catch (error) {
      await copy.close();
      throw error;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function noFile(file: string, isFolder: boolean): SourceError {
  return new SourceError(
    'file_unreadable',
    { file },
    isFolder ? 'This is a folder, not a file.' : 'This is a device, not a file.',
    'Give the path of a file, or of a pipe such as /dev/stdin.',
  );
}

/** The source changed after its reading began. */
export function changed(file: string): SourceError {
  return new SourceError(
    'source_changed',
    { file },
    'It changed while it was being read, so its rows and its columns may be from different versions.',
    'Nothing was started. Wait until it is completely written, then run this again.',
  );
}

async function orUnreadable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isSystemError(error) ? unreadable(path, error) : error;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function unreadable(file: string, error: NodeJS.ErrnoException): SourceError {
  const problem =
    error.code === 'ENOENT'
      ? 'There is no such file.'
      : `The file cannot be read (${error.code ?? error.message}).`;
  return new SourceError(
    'file_unreadable',
    { file },
    problem,
    'Check the path and that this user may read it.',
  );
}
