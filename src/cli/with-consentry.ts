import type { Connected } from '../starter/connect.js';

/** Runs `work` with connections to Temporal and the ledger, and closes them. */
export async function withConsentry<T>(work: (connected: Connected) => Promise<T>): Promise<T> {
  // Loaded for the verbs that need it: help is at once.
  const { connect } = await import('../starter/connect.js');
  const connected = await connect();
  try {
    return await work(connected);
  } finally {
    await connected.close();
  }
}
