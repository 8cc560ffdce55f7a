#!/usr/bin/env node
import { main } from '../dist/src/command/main.js';

// The reader of our output may have seen enough, as `head` does: that is no failure of ours.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await main(process.argv.slice(2));
