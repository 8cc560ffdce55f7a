/** How long calls took, in ms. */
export interface Times {
  p50: number;
  p95: number;
  max: number;
}

export function timesOf(took: readonly number[]): Times {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1)! };
}

/** Runs `effect` and measures how long it took, in ms. */
export async function timed<T>(effect: () => T | Promise<T>): Promise<[number, T]> {
  const began = performance.now();
  const result = await effect();
  return [performance.now() - began, result];
}
