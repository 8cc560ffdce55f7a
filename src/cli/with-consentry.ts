import type { Connected } from '../starter/connect.js';

/** Runs `work` with connections to Temporal and the ledger, and closes them. */
export async function withConsentry<T>(work: (connected: Connected) => Promise<T>): Promise<T> {
  // Loaded only by the verbs that need it, so that help is instant.
  const { connect } = await import('../starter/connect.js');
  const connected = await connect();
  try {
    return await work(connected);
  } finally {
    await connected.close();
  }
}
