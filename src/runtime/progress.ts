/** Tells the user which step is running, and for how long. */
export type OnProgress = (step: ProgressStep) => void;

export interface ProgressStep {
  /** One line, without a full stop: "Building the Temporal CLI with Go". */
  readonly message: string;
  /** Since the step began. The first report of a step has 0; further reports come about every second. */
  readonly elapsedSeconds: number;
  /** The step has ended, successfully or not. */
  readonly done?: true;
}

/** Reports `message` now and every second until `work` is done. */
export async function withProgress<T>(
  onProgress: OnProgress,
  message: string,
  work: () => Promise<T>,
): Promise<T> {
  const begun = Date.now();
  onProgress({ message, elapsedSeconds: 0 });
  const elapsedSeconds = (): number => Math.round((Date.now() - begun) / 1000);
  const timer = setInterval(() => onProgress({ message, elapsedSeconds: elapsedSeconds() }), 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    onProgress({ message, elapsedSeconds: elapsedSeconds(), done: true });
  }
}

/**
 * Progress for people: on a terminal one counting line; elsewhere a line when a step begins, one
 * every half minute, and one at the end of a step that took longer than a second.
 */
export function progressLines(stream: {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}): OnProgress {
  let open: string | null = null;
  return ({ message, elapsedSeconds, done }) => {
    const line = `${message} (${elapsedSeconds} s)`;
    if (stream.isTTY) {
      const before = open === message ? '\r\x1b[K' : open === null ? '' : '\n';
      stream.write(`${before}${line}${done ? '\n' : ''}`);
      open = done ? null : message;
    } else if (done) {
      if (elapsedSeconds > 1) stream.write(`${message}: ended after ${elapsedSeconds} s\n`);
    } else if (elapsedSeconds === 0) stream.write(`${message}\n`);
    else if (elapsedSeconds % 30 === 0) stream.write(`${line}\n`);
  };
}
