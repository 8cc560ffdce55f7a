import { Worker, type WorkerOptions } from '@temporalio/worker';
import { queueBeside, QUEUES_BESIDE } from '../../../src/contracts/names.js';

type Options = WorkerOptions & Required<Pick<WorkerOptions, 'activities'>>;

/** Workers of a task queue and of those beside it, with a test's own activities. */
export class StagedWorkers {
  private constructor(private readonly workers: readonly Worker[]) {}

  static async create(options: Options): Promise<StagedWorkers> {
    const { workflowBundle: _workflows, ...onlyActivities } = options;
    return new StagedWorkers([
      await Worker.create(options),
      ...(await Promise.all(
        QUEUES_BESIDE.map((queue) =>
          Worker.create({ ...onlyActivities, taskQueue: queueBeside(options.taskQueue, queue) }),
        ),
      )),
    ]);
  }

  /** Runs all of them while `work` goes on. */
  async runUntil<T>(work: () => Promise<T>): Promise<T> {
    return this.workers.reduce<() => Promise<T>>(
      (inner, worker) => () => worker.runUntil(inner),
      work,
    )();
  }
}
