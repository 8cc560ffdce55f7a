import { randomBytes } from 'node:crypto';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import { workflowIds } from '../../contracts/names.js';
import type { Person, PersonConsent } from '../../contracts/person.js';
import {
  askAboutPerson,
  PERSON_REQUEST_LIVES_MS,
  takePersonAnswer,
  type LedgerDb,
} from '../../ledger/index.js';
import type { consentShow } from '../../workflows/index.js';

/** Klaviyo could not be read in time. What the ledger has about the person can still be read. */
export class PersonNotReadError extends Error {
  override readonly name = 'PersonNotReadError';
}

/** Long enough to wait out Klaviyo's rate limit. */
const READ_WITHIN_MS = 90_000;

export interface AskingThrough {
  readonly client: Client;
  readonly accountId: string;
  readonly taskQueue: string;
  readonly db: LedgerDb;
}

/**
 * Lets a worker read a person's consent from Klaviyo. The question and its answer go through the
 * ledger and are deleted as soon as the answer has arrived.
 *
 * @throws PersonNotReadError, WorkflowFailedError
 */
export async function readLiveConsent(
  { client, accountId, taskQueue, db }: AskingThrough,
  person: Person,
  readWithinMs: number = READ_WITHIN_MS,
): Promise<PersonConsent> {
  const requestId = randomBytes(12).toString('hex');
  await askAboutPerson(db, { id: requestId, accountId, person });
  let answer: PersonConsent | null;
  try {
    await client.workflow.execute<typeof consentShow>('consentShow', {
      workflowId: workflowIds.show(requestId),
      taskQueue,
      args: [{ requestId, forgetAfterMs: PERSON_REQUEST_LIVES_MS }],
      workflowExecutionTimeout: readWithinMs,
      staticSummary: 'one person',
    });
  } catch (error) {
    throw isTimeout(error) ? notRead(readWithinMs) : error;
  } finally {
    answer = await takePersonAnswer(db, requestId);
  }
  if (answer === null) throw notRead(readWithinMs);
  return answer;
}

function isTimeout(error: unknown): boolean {
  return error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure;
}

function notRead(withinMs: number): PersonNotReadError {
  return new PersonNotReadError(
    `Klaviyo was not read within ${withinMs / 1_000} seconds: it does not answer, or the worker is busy. ` +
      'Try again; --ledger shows what the ledger has without asking Klaviyo.',
  );
}
