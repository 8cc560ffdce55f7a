/** What is published: both packages, packed, installed outside the repository, and used there. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { childEnvironment } from '../../src/runtime/config.js';

const run = promisify(execFile);
/** The repository, from the sources as from the build, which is a level deeper. */
const ROOT = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url),
);
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

describe('the packed packages', { timeout: 300_000 }, () => {
  let folder: string;
  /** Nothing of the repository is found from there; folders of the user are the test's own. */
  const options = () => ({
    cwd: folder,
    env: childEnvironment({
      CONSENTRY_DATA_DIR: join(folder, 'data'),
      CONSENTRY_STATE_DIR: join(folder, 'state'),
      NODE_PATH: '',
    }),
    maxBuffer: 50_000_000,
  });
  const bin = (name: string) => join(folder, 'node_modules', '.bin', name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-packed-'));
    // Built already: packing does not build a second time.
    const pack = ['pack', '--ignore-scripts', '--pack-destination', folder];
    await run(NPM, [...pack, '--workspace', 'klaviyo-sandbox', '--include-workspace-root'], {
      cwd: ROOT,
    });
    await writeFile(join(folder, 'package.json'), '{"name":"user","private":true,"type":"module"}');
    const packed = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    assert.equal(packed.length, 2);
    const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    await run(NPM, [...install, ...packed.map((name) => `./${name}`)], options());
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('have the sandbox as a program that answers', async () => {
    const child = spawn(bin('klaviyo-sandbox'), ['--json'], { ...options(), stdio: 'pipe' });
    const exited = once(child, 'exit');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { url, apiKey } = JSON.parse(line) as { url: string; apiKey: string };
    const headers = { authorization: `Klaviyo-API-Key ${apiKey}`, revision: '2026-07-15' };
    assert.equal((await fetch(`${url}/api/accounts`, { headers })).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [null, 'SIGTERM']);
  });

  it('have types for whoever starts the sandbox and a migration in TypeScript', async () => {
    await writeFile(
      join(folder, 'user.ts'),
      `import { connect } from 'consentry';
import { startSandbox, type Sandbox } from 'klaviyo-sandbox';

const sandbox: Sandbox = await startSandbox({ delays: 'fast' });
const profiles: number = sandbox.account.profiles.size;
console.log(JSON.stringify({ profiles, starts: typeof connect }));
await sandbox.close();
`,
    );
    const { compilerOptions } = createRequire(import.meta.url)(
      join(ROOT, 'tsconfig.base.json'),
    ) as { compilerOptions: object };
    const own = { outDir: '.', declaration: false, incremental: false, typeRoots: [TYPES] };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...own }, files: ['user.ts'] }),
    );
    await run(process.execPath, [TSC, '--project', folder], options());
    const { stdout } = await run(process.execPath, ['user.js'], options());
    assert.deepEqual(JSON.parse(stdout), { profiles: 0, starts: 'function' });
  });

  it('have Consentry as a program that runs a whole migration', async () => {
    const { stdout } = await run(bin('consentry'), ['demo', '--rows', '1000', '--json'], options());
    assert.match(stdout, /"differences": *(0|\[\])/);
  });
});

const require = createRequire(import.meta.url);
const TSC = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
const TYPES = join(dirname(require.resolve('@types/node/package.json')), '..');
