/** Rows of this domain are accepted, and nothing comes of them. */
export const DROPPED_DOMAIN = 'dropped.test';

/** Numbers that belong to nobody, for one source alone. */
export interface MessyPhones {
  /** Another good one of the US. */
  next(): string;
  /** Of Canada, where there is no sender. */
  readonly abroad: readonly string[];
  /** Malformed, toll-free, and as a spreadsheet spoils it. */
  readonly bad: readonly string[];
  isOne(phone: string): boolean;
}

const AREAS =
  '201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239'.split(
    ' ',
  );

/** @param place of the source among all, from 0 */
export function messyPhones(place: number): MessyPhones {
  const area = AREAS[place];
  if (area === undefined) throw new RangeError(`there are numbers for ${AREAS.length} sources`);
  const prefix = `+1${area}555`;
  let given = 0;
  return {
    next() {
      if (given >= 100) throw new RangeError('a source has a hundred numbers');
      given += 1;
      return `${prefix}0${99 + given}`;
    },
    abroad: [1, 2, 3, 4].map((i) => `+1416555${1_000 * i + place}`),
    bad: [`${prefix}01`, `+1888555${1_000 + place}`, '1.20155E+10'],
    isOne: (phone) => phone.startsWith(prefix),
  };
}
