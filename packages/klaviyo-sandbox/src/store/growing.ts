type TypedArray = Float64Array | Uint32Array | Uint8Array;

/** The array itself if `index` fits, else a copy of at least twice the length. */
export function roomFor<A extends TypedArray>(array: A, index: number): A {
  if (index < array.length) return array;
  const longer = new (array.constructor as new (length: number) => A)(
    Math.max(1_024, array.length * 2, index + 1),
  );
  longer.set(array);
  return longer;
}
