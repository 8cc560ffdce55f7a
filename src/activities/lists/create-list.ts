import { ApplicationFailure } from '@temporalio/common';
import type { CreatedList, ListInput } from '../../contracts/lists.js';
import {
  endpointOf,
  KlaviyoRateLimitedError,
  KlaviyoUnavailableError,
  ListNotFoundError,
  type KlaviyoClient,
  type ListInfo,
} from '../../klaviyo/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { stopping } from '../temporal/failures.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { existingList } from './existing-list.js';

type AskedList = Omit<ListInput, 'runId'>;

/** A call whose answer was lost may still be under way: the next look comes after this long. */
const LOOK_AGAIN_MS = 20_000;

/** Whoever waits for a list does not wait until tomorrow for Klaviyo's limit of a day. */
const LONGEST_WAIT_MS = 2 * 60_000;

export function createListOnce({ klaviyo }: ActivityDependencies) {
  return {
    /**
     * Finds the list of exactly this name, or creates it. May be retried: each try looks first, and
     * a try whose call had no answer looks again after it.
     *
     * @returns null if it is not there and is not to be created
     */
    async createList(asked: AskedList): Promise<CreatedList | null> {
      return whileHeartbeating(async (signal) => {
        const there = await find(klaviyo, asked, signal);
        if (there !== null) return resultOf(asked, there, false);
        if (!asked.createsIt) return null;
        try {
          return resultOf(asked, await klaviyo.createList(asked, { signal }), true);
        } catch (error) {
          if (error instanceof KlaviyoRateLimitedError) throw limited(error);
          if (!(error instanceof KlaviyoUnavailableError) || !error.ambiguous) throw error;
          const made = await find(klaviyo, asked, signal);
          if (made === null) throw lookAgain(error);
          return resultOf(asked, made, true);
        }
      });
    },
  };
}

/** @returns null if the account has no list of exactly this name */
async function find(
  klaviyo: KlaviyoClient,
  asked: AskedList,
  signal: AbortSignal,
): Promise<ListInfo | null> {
  const listed = await klaviyo.listLists({ name: asked.name, signal });
  const existing = existingList(asked, await listOfId(klaviyo, asked.name, signal), listed);
  if (existing.is === 'refused') throw stopping(existing.type, existing.why);
  return existing.is === 'there' ? existing.list : null;
}

async function listOfId(
  klaviyo: KlaviyoClient,
  name: string,
  signal: AbortSignal,
): Promise<ListInfo | null> {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) return null;
  try {
    return await klaviyo.getList(name, { signal });
  } catch (error) {
    if (error instanceof ListNotFoundError) return null;
    throw error;
  }
}

/** Klaviyo's word for what it created counts: under another name no repetition would find it. */
function resultOf(asked: AskedList, list: ListInfo, created: boolean): CreatedList {
  const { id, name, optInProcess } = list;
  if (name === asked.name && optInProcess === asked.optInProcess) {
    return { id, name, optInProcess, created };
  }
  throw stopping(
    'KlaviyoAnswerUnexpected',
    `Klaviyo created the list ${id} as "${name ?? ''}", ${optInProcess ?? 'without saying its opt-in process'}, ` +
      `but "${asked.name}", ${asked.optInProcess}, was asked for. Correct it or delete it in Klaviyo before you ` +
      'ask again.',
  );
}

function lookAgain(error: KlaviyoUnavailableError): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.failure,
    message: `${error.message} No list of this name is there yet; it is looked for again before another call.`,
    nextRetryDelay: Math.max(LOOK_AGAIN_MS, error.retryAfterMs ?? 0),
  });
}

function limited(error: KlaviyoRateLimitedError): Error {
  if (error.retryAfterMs <= LONGEST_WAIT_MS) return error;
  const { daily = 0 } = endpointOf('create_list');
  return stopping(
    'KlaviyoRequestRefused',
    `Klaviyo lets no list be created for the next ${Math.ceil(error.retryAfterMs / 60_000)} minutes: an account ` +
      `may create ${daily} a day. Ask again later, or use a list that is there.`,
  );
}
