import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** For what an activity does without a worker; its log is thrown away. */
export function activityEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment(undefined, {
    logger: new DefaultLogger('ERROR', () => undefined),
  });
}

/** For activities that write to no destination. */
export const noDestination = {
  openDestination: () => Promise.reject(new Error('This test has no destination.')),
  addressOf: () => Promise.reject(new Error('No segment is run here.')),
};
