import fc from 'fast-check';
import { clientOf, KlaviyoServer } from '../support/klaviyo/klaviyo-server.js';
import { answers, readAnyAnswer } from './answers.js';
import type { Kind } from './kinds.js';
import { mappings, readAnyMapping } from './mappings.js';
import { readAnySource, sources } from './sources.js';

export const TARGETS = ['sources', 'mappings', 'answers'] as const;
export type Target = (typeof TARGETS)[number];

export function isTarget(name: string): name is Target {
  return TARGETS.some((target) => target === name);
}

/** No input is larger than a few hundred kilobytes, so even a busy machine reads it in a second or two. */
const MOST_MS = 30_000;

export interface Fuzzed {
  readonly counts: ReadonlyMap<Kind, number>;
  readonly slowestMs: number;
}

/** @throws the first failure, shrunk */
export async function runFuzz(target: Target, numRuns: number, seed: number): Promise<Fuzzed> {
  const options = { numRuns, seed };
  const counts = new Map<Kind, number>();
  let slowestMs = 0;
  const counted = async (work: Promise<Kind>): Promise<void> => {
    const startedAt = Date.now();
    const kind = await work;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    slowestMs = Math.max(slowestMs, Date.now() - startedAt);
    if (slowestMs > MOST_MS) throw new Error(`one input took ${slowestMs} ms`);
  };
  if (target === 'sources') {
    const property = fc.asyncProperty(sources, (source) => counted(readAnySource(source)));
    await fc.assert(property, options);
  } else if (target === 'mappings') {
    const property = fc.asyncProperty(mappings, (text) => counted(readAnyMapping(text)));
    await fc.assert(property, options);
  } else {
    const server = await KlaviyoServer.start();
    const klaviyo = clientOf(server);
    try {
      const property = fc.asyncProperty(answers, (given) =>
        counted(readAnyAnswer(given, server, klaviyo)),
      );
      await fc.assert(property, options);
    } finally {
      await klaviyo.close();
      await server.stop();
    }
  }
  return { counts, slowestMs };
}
