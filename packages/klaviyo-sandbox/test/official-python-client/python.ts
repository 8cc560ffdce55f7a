import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The release for revision 2026-10-15. */
export const RELEASE = '25.0.0';

/** The package and the repository, for sources and for the build, which is one level deeper. */
const up = import.meta.url.includes('/dist/') ? '../../../' : '../../';
const fileAt = (path: string): string => fileURLToPath(new URL(`${up}${path}`, import.meta.url));

export const SCRIPT = fileAt('test/official-python-client/drive.py');

/** Where `.ci/run` installs the client, if the machine has Python. */
const INSTALLED = ['bin/python', 'Scripts/python.exe'].map((program) =>
  fileAt(`../../node_modules/.cache/klaviyo-python/${program}`),
);

/** A Python that has the client, or why there is none and what to do. */
export function findPython(): { python: string } | { missing: string } {
  const named = process.env['KLAVIYO_SANDBOX_PYTHON'];
  const candidates = named ? [named] : [...INSTALLED.filter((path) => existsSync(path)), 'python3'];
  const found = candidates.map((python) => ({ python, release: releaseOf(python) }));
  const right = found.find(({ release }) => release === RELEASE);
  if (right !== undefined) return { python: right.python };
  const have = found.map(({ python, release }) => `${python}: ${release}`).join('; ');
  return {
    missing:
      `no Python with klaviyo-api ${RELEASE} (${have}). To run this: python3 -m venv klaviyo-python && ` +
      `klaviyo-python/bin/pip install klaviyo-api==${RELEASE}, then name klaviyo-python/bin/python in ` +
      `KLAVIYO_SANDBOX_PYTHON.`,
  };
}

const ASK = 'import klaviyo_api, importlib.metadata as m; print(m.version("klaviyo-api"))';

function releaseOf(python: string): string {
  try {
    return execFileSync(python, ['-c', ASK], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isAbsent ? 'not there' : 'without the client';
  }
}
