import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigError, loadConfig } from '../../../src/runtime/config.js';
import { userFolders } from '../../../src/runtime/paths.js';
import { keptDataFolder, startDatabase } from '../../../src/runtime/local/postgres/postgres.js';
import { repairLinks } from '../../../src/runtime/local/postgres/binaries.js';
import {
  accountFor,
  closedFolders,
  firstReachable,
  isReachable,
  serverAccount,
} from '../../../src/runtime/local/server-account.js';
import { createTestFolders } from '../../support/stack.js';
import type { TestFolders } from '../../support/stack.js';

let folders: TestFolders;
before(async () => {
  folders = await createTestFolders();
  // As root the server's account has to get through to its data.
  await chmod(dirname(folders.data), 0o711);
});
after(() => folders.remove());

describe('the folder that keeps the data', () => {
  const stranger = { name: 'stranger', uid: 4_242, gid: 4_242 };
  let closed: string;
  before(async () => {
    closed = join(folders.state, 'private');
    await mkdir(join(closed, 'open'), { recursive: true });
    await chmod(folders.state, 0o711);
    await chmod(closed, 0o700);
    await chmod(join(closed, 'open'), 0o755);
  });

  it('is the named one, or an error that says which folder is closed to whom', async () => {
    const data = join(closed, 'open', 'data');
    assert.deepEqual(await closedFolders(data, stranger), [closed]);
    await assert.rejects(keptDataFolder({ data, dataIsNamed: true }, stranger), (error) => {
      assert.ok(error instanceof ConfigError);
      for (const said of [`CONSENTRY_DATA_DIR is ${data}`, `enter ${closed}.`, 'user stranger']) {
        assert.ok(error.message.includes(said), error.message);
      }
      assert.match(error.message, /chmod a\+x .*name another folder, or set DATABASE_URL/);
      return true;
    });
    await chmod(closed, 0o711);
    assert.equal(await keptDataFolder({ data, dataIsNamed: true }, stranger), data);
    await chmod(closed, 0o700);
  });

  it('is one for all of root’s stacks where the default one is closed', async () => {
    const data = join(closed, 'open', 'data');
    const fallback = await keptDataFolder({ data, dataIsNamed: false }, stranger);
    assert.equal(fallback, '/var/lib/consentry');
    assert.equal(await keptDataFolder({ data, dataIsNamed: false }, null), data);
  });

  it('is known to be named from the configuration', () => {
    const named = userFolders(loadConfig({ CONSENTRY_DATA_DIR: '/srv/consentry' }));
    assert.deepEqual([named.data, named.dataIsNamed], ['/srv/consentry', true]);
    assert.equal(userFolders(loadConfig({})).dataIsNamed, false);
  });

  const root = process.getuid?.() === 0;
  const skip = root ? false : 'only root starts PostgreSQL as another user';

  it('is not replaced in secret when root starts', { skip }, async () => {
    const named = { ...folders, data: join(closed, 'data') };
    await assert.rejects(startDatabase({ databaseUrl: null, folders: named, keep: true }), {
      name: 'ConfigError',
      message: new RegExp(`may not enter ${closed}\\.`),
    });
    assert.equal(existsSync(named.data), false);
  });

  it('may be closed to all but the owner of the data in it', { skip }, async () => {
    const data = join(folders.state, 'of-a-user');
    await mkdir(join(data, 'postgresql'), { recursive: true });
    for (const folder of [data, join(data, 'postgresql')]) {
      await chown(folder, 4_343, 4_343);
      await chmod(folder, 0o700);
    }
    assert.deepEqual(await closedFolders(data, stranger), [data]);
    assert.equal(await keptDataFolder({ data, dataIsNamed: true }, stranger), data);
  });
});

describe('PostgreSQL programs', () => {
  it('get the links that a blocked install script leaves out', async () => {
    const copy = join(folders.cache, 'package');
    await mkdir(join(copy, 'native', 'lib'), { recursive: true });
    const links = [{ source: 'native/lib/real.so.1', target: 'native/lib/real.so' }];
    await writeFile(join(copy, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    await writeFile(join(copy, 'native', 'lib', 'real.so.1'), 'library');
    await repairLinks(copy);
    await repairLinks(copy);
    assert.equal(await readFile(join(copy, 'native', 'lib', 'real.so'), 'utf8'), 'library');
  });

  it('are looked for where the server’s account can get', async () => {
    const closed = join(folders.state, 'closed');
    await mkdir(closed, { recursive: true, mode: 0o700 });
    await chmod(closed, 0o700);
    const stranger = { name: 'stranger', uid: 4_242, gid: 4_242 };
    assert.equal(await isReachable(join(closed, 'inside'), stranger), false);
    assert.equal(await isReachable(join(closed, 'inside'), null), true);
    assert.equal(await isReachable('/usr', stranger), true);
    assert.equal(await firstReachable([closed, '/usr'], stranger), '/usr');
    assert.equal((await serverAccount()) === null, process.getuid?.() !== 0);
  });

  it('run as the owner of data that is there already, never as root', async () => {
    const chosen = { name: 'postgres', uid: 4_242, gid: 4_242 };
    const owner = await stat(folders.state);
    const expected = owner.uid === 0 ? chosen.uid : owner.uid;
    assert.equal((await accountFor(folders.state, chosen))?.uid, expected);
    assert.equal((await accountFor(join(folders.state, 'new'), chosen))?.uid, chosen.uid);
    assert.equal(await accountFor(folders.state, null), null);
    if (process.getuid?.() !== 0) return;
    await chown(folders.state, 4_343, 4_343);
    assert.equal((await accountFor(folders.state, chosen))?.uid, 4_343);
    await chown(folders.state, 0, 0);
  });
});
