/** Tells the user which of several ways is taken, and how long a slow one has been at work. */
export type OnProgress = (step: ProgressStep) => void;

export interface ProgressStep {
  /** One line, without a full stop: "Building the Temporal CLI with Go". */
  readonly message: string;
  /** Since the step began. The first report of a step has 0, further ones come about every second. */
  readonly elapsedSeconds: number;
}

/** Reports `message` now and every second until `work` is done. */
export async function withProgress<T>(
  onProgress: OnProgress,
  message: string,
  work: () => Promise<T>,
): Promise<T> {
  const begun = Date.now();
  onProgress({ message, elapsedSeconds: 0 });
  const timer = setInterval(() => {
    onProgress({ message, elapsedSeconds: Math.round((Date.now() - begun) / 1000) });
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * Progress for people: on a terminal one line that counts, elsewhere a line when a step begins and
 * one every half minute.
 */
export function progressLines(stream: NodeJS.WriteStream): OnProgress {
  let counting = false;
  return ({ message, elapsedSeconds }) => {
    if (stream.isTTY) {
      stream.write(`${counting ? '\r\x1b[K' : ''}${message} (${elapsedSeconds} s)`);
      counting = true;
    } else if (elapsedSeconds === 0) stream.write(`${message}\n`);
    else if (elapsedSeconds % 30 === 0) stream.write(`${message} (${elapsedSeconds} s)\n`);
  };
}
