/**
 * Merges iterators that are each in the order of `compare`. For few iterators: each step looks at
 * all.
 */
export function* inOrder<T>(
  walks: readonly Iterator<T, void>[],
  compare: (a: T, b: T) => number,
): Generator<T> {
  const heads = walks.flatMap((walk) => {
    const head = walk.next();
    return head.done === true ? [] : [{ walk, value: head.value }];
  });
  while (heads.length > 0) {
    let first = 0;
    for (let i = 1; i < heads.length; i++) {
      if (compare(heads[i]!.value, heads[first]!.value) < 0) first = i;
    }
    const head = heads[first]!;
    yield head.value;
    const next = head.walk.next();
    if (next.done === true) heads.splice(first, 1);
    else head.value = next.value;
  }
}
