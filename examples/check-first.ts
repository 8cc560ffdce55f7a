/**
 * Says what a migration would meet and do, and sends nothing: first what stands in its way at Klaviyo,
 * then what it would send.
 *
 *   node --import tsx examples/check-first.ts people.csv XyZ123
 */
import { connect, MigrationStoppedError } from 'consentry';

const [file, listId] = process.argv.slice(2);
if (file === undefined || listId === undefined)
  throw new Error('Give a file and the id of a list.');

const connected = await connect();
const { migrations } = connected.consentry;
try {
  // Needs no source: a worker asks Klaviyo about its key, the list and the SMS set-up.
  const { optInProcess, flows, warnings } = await migrations.check({ listId });
  console.log(`List ${listId} is ${optInProcess}.`);
  for (const { name, status } of flows ?? [])
    console.log(`It starts the flow ${name} (${status}).`);
  for (const warning of warnings) console.log(`Warning: ${warning}`);

  // A dry run reads the source and everybody's consent, and ends with its plan.
  const { id } = await migrations.start({ file, listId, dryRun: true });
  await migrations.waitForEnd(id);
  const plan = await migrations.plan(id);
  if (plan === null) throw new Error(`Migration ${id} ended without a plan.`);
  for (const { channel, operation, parts, expected } of plan.toSend) {
    console.log(`Would ${operation} ${parts} by ${channel}: ${expected}`);
  }
  for (const { channel, outcome, reason, parts } of plan.settledBefore) {
    console.log(`Would not send ${parts} by ${channel}: ${reason ?? outcome}`);
  }
  console.log(`It would take ${Math.ceil(plan.atLeastMs / 60_000)} minutes at least.`);
} catch (error) {
  if (!(error instanceof MigrationStoppedError)) throw error;
  console.error(`It would not start: ${error.message}`);
  process.exitCode = 1;
} finally {
  await connected.close();
}
