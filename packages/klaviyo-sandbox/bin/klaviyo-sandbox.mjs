#!/usr/bin/env node
import { main } from '../dist/src/command/main.js';

// The reader of our output may stop reading, as `head` does: that is not an error.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await main(process.argv.slice(2));
