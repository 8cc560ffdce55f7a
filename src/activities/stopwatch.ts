/**
 * Milliseconds since it was started, for dating what was read: never too few. The monotonic clock stands still
 * while the machine sleeps, and the wall clock may be set back, so it takes whichever counted more.
 */
export function stopwatch(): () => number {
  const [monotonic, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - monotonic, Date.now() - wall);
}
