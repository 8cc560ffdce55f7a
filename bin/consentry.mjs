#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// A clone has sources and may have to be built; an installed package has only what was built.
const isClone = existsSync(fileURLToPath(new URL('../src', import.meta.url)));

// The reader of our output may have seen enough, as `head` does: that is no failure of ours.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

async function run() {
  if (isClone) {
    const { prepare } = await import('../scripts/prepare.mjs');
    if (!(await prepare())) return 1;
  }
  const { main } = await import('../dist/src/cli/main.js');
  return main(process.argv.slice(2));
}

process.exitCode = await run();
