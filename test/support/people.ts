/** `count` addresses that no other call gave. */
export function people(count: number): string[] {
  made += 1;
  return Array.from({ length: count }, (_, n) => `p${made}-${n}@example.com`);
}
let made = 0;
