/**
 * Starts a migration, waits for its end, and prints how many rows ended how and which were refused.
 *
 *   node --import tsx examples/start-and-wait.ts people.csv XyZ123
 */
import { connect, MigrationStoppedError } from 'consentry';

const [file, listId] = process.argv.slice(2);
if (file === undefined || listId === undefined)
  throw new Error('Give a file and the id of a list.');

const connected = await connect();
const { migrations } = connected.consentry;
try {
  // Returns when the whole source is in the ledger. Nothing was sent yet.
  const { id, rows, attached } = await migrations.start({ file, listId });
  // The same file with the same settings runs only once at a time: then this is that run.
  console.log(`Migration ${id} of ${rows} rows ${attached ? 'runs already' : 'has started'}.`);

  // The run does not need this program: it goes on if we end here, and `id` finds it again.
  await migrations.waitForEnd(id);

  const { outcomes, parts } = await migrations.report(id);
  console.log(outcomes);
  for (const { channel, outcome, reason, parts: count } of parts) {
    console.log(`${channel}: ${count} ${outcome}${reason === null ? '' : `, ${reason}`}`);
  }

  // Row by row, a page at a time, since a source may have millions.
  for await (const page of migrations.parts(id)) {
    for (const { line, channel, outcome, reason } of page) {
      if (outcome === 'rejected') console.log(`Line ${line}, ${channel}: ${reason}`);
    }
  }
} catch (error) {
  if (!(error instanceof MigrationStoppedError)) throw error;
  // A run that must not go on stops with its reason, such as a list that is double opt-in.
  console.error(error.message);
  process.exitCode = 1;
} finally {
  // Open connections would keep the process alive.
  await connected.close();
}
