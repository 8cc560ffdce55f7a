import type { SandboxOptions } from 'klaviyo-sandbox';

type Hook = NonNullable<SandboxOptions['onRequest']>;

/** Calls of one operation that wait until the gate is opened, so that a test can meet a moment. */
export interface Gate {
  /** Settles when the first call waits. */
  readonly reached: Promise<void>;
  /** Calls that wait now. */
  waiting(): number;
  open(): void;
}

/** Holds calls of the sandbox back. Give `hook` to it as `onRequest`. */
export class Gates {
  readonly #closed = new Set<ClosedGate>();

  readonly hook: Hook = async ({ operation, moment }) => {
    if (moment !== 'before') return;
    for (const gate of [...this.#closed]) await gate.pass(operation);
  };

  /** @param after calls that pass first */
  close(operation: string, after = 0): Gate {
    const gate = new ClosedGate(operation, after, () => this.#closed.delete(gate));
    this.#closed.add(gate);
    return gate;
  }

  openAll(): void {
    for (const gate of [...this.#closed]) gate.open();
  }
}

class ClosedGate implements Gate {
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  #isReached: () => void = () => undefined;
  #isOpened: () => void = () => undefined;
  #waiting = 0;
  #left: number;

  constructor(
    private readonly operation: string,
    after: number,
    private readonly forget: () => void,
  ) {
    this.#left = after;
    this.reached = new Promise((resolve) => (this.#isReached = resolve));
    this.#opened = new Promise((resolve) => (this.#isOpened = resolve));
  }

  waiting(): number {
    return this.#waiting;
  }

  async pass(operation: string): Promise<void> {
    if (operation !== this.operation) return;
    if (this.#left > 0) {
      this.#left -= 1;
      return;
    }
    this.#waiting += 1;
    this.#isReached();
    await this.#opened;
    this.#waiting -= 1;
  }

  open(): void {
    this.forget();
    this.#isOpened();
  }
}
