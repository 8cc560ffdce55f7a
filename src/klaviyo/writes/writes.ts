import * as z from 'zod';
import { callOf } from '../calls.js';
import type { EndpointName } from '../endpoints.js';
import type { CallOptions, Transport } from '../transport/transport.js';

/** Klaviyo accepted the request. This proves nothing, and there is no job to poll. */
export interface Accepted {
  readonly accepted: true;
  /** `X-Klaviyo-Partial-Failure`: fields of some row that were dropped, e.g. `phone_number`. */
  readonly partialFailure: string | null;
  /** `X-Klaviyo-Req-Id`, for Klaviyo's support; null if the answer has none. */
  readonly requestId: string | null;
  /** Klaviyo's time before which it cannot have been applied; null if no answer had a `Date`. */
  readonly sentAt: Date | null;
}

/** Klaviyo accepted the request as a job. */
export interface AcceptedJob extends Pick<Accepted, 'sentAt'> {
  readonly jobId: string;
}

const jobSchema = z.object({ data: z.object({ id: z.string() }) });

/** Sends each write once: only reading back tells whether a write with a lost answer was accepted. */
export class Writes {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @param id of the resource in the endpoint's path; null if it has none */
  async accept(
    endpoint: EndpointName,
    body: unknown,
    options?: CallOptions,
    id: string | null = null,
  ): Promise<Accepted> {
    const answer = await this.#transport.send({ ...callOf(endpoint, id), body }, options);
    return {
      accepted: true,
      partialFailure: answer.header('x-klaviyo-partial-failure') ?? null,
      requestId: answer.header('x-klaviyo-req-id') ?? null,
      sentAt: this.#transport.timesOf(answer)?.sentAt.earliest ?? null,
    };
  }

  async acceptJob(
    endpoint: EndpointName,
    body: unknown,
    options: CallOptions = {},
  ): Promise<AcceptedJob> {
    const call = { ...callOf(endpoint), body };
    let sentAt: Date | null = null;
    const { data } = await this.#transport.read(jobSchema, call, {
      ...options,
      onAnswer: (times) => {
        sentAt = times?.sentAt.earliest ?? null;
        options.onAnswer?.(times);
      },
    });
    return { jobId: data.id, sentAt };
  }
}
