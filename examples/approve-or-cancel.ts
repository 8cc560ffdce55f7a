/**
 * Starts a migration that waits after its plan. Approves it where it subscribes no more people than
 * expected, and cancels it otherwise.
 *
 *   node --import tsx examples/approve-or-cancel.ts people.csv XyZ123 5000
 */
import { connect, type Plan } from 'consentry';

const [file, listId, most] = process.argv.slice(2);
if (file === undefined || listId === undefined || most === undefined) {
  throw new Error('Give a file, the id of a list, and how many may be subscribed.');
}

const connected = await connect();
const { migrations } = connected.consentry;
try {
  // More than 0 rows wait: so every run does.
  const { id, attached } = await migrations.start({ file, listId, approvalAbove: 0 });
  if (attached) throw new Error(`Somebody else runs the same as migration ${id}: it is theirs.`);

  let decided = false;
  const last = await migrations.watch(id, {
    everyMs: 1_000,
    onPlan(plan) {
      console.log(`Migration ${id} would subscribe ${subscribes(plan)}.`);
    },
    async onProgress({ phase, outcomes }) {
      console.log(phase, outcomes);
      if (phase !== 'approval' || decided) return;
      decided = true;
      // Until one of the two is said nothing is sent, even if it takes months. After `cancel` no row stays
      // open: what was not sent ends as cancelled.
      const plan = await migrations.plan(id);
      const isExpected = plan !== null && subscribes(plan) <= Number(most);
      await (isExpected ? migrations.approve(id) : migrations.cancel(id));
    },
  });
  console.log(`It has ended: ${last?.phase}.`);
} finally {
  await connected.close();
}

function subscribes({ toSend }: Plan): number {
  const all = toSend.filter(({ operation }) => operation === 'subscribe');
  return all.reduce((sum, { parts }) => sum + parts, 0);
}
