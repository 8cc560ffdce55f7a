import type { RowClaim } from './presets/preset.js';
import { cellText } from './values/cell-text.js';

/**
 * Gives lines that go on about the person above them that person's address and number. One line after
 * the other; each reading of a source begins with a new one.
 */
export class Continuation {
  #above: RowClaim | null = null;

  /** The line could not be read: it may have begun another person. */
  interrupted(): void {
    this.#above = null;
  }

  /** The claim of the next line, of whom it is about. */
  next(claim: RowClaim): RowClaim {
    const above = this.#above;
    const whole = above !== null && goesOn(claim, above) ? named(claim, above) : claim;
    this.#above = whole;
    return whole;
  }
}

/** A line with an id is about the person of that id; one without, if it names nobody and does not begin one. */
function goesOn({ person, email, phone }: RowClaim, above: RowClaim): boolean {
  if (person === undefined || above.person === undefined || person.begins) return false;
  if (person.id !== '') return person.id === above.person.id;
  return cellText(email) === '' && cellText(phone) === '';
}

function named(claim: RowClaim, above: RowClaim): RowClaim {
  const own = (mine: string, theirs: string) => (cellText(mine) === '' ? theirs : mine);
  return {
    ...claim,
    email: own(claim.email, above.email),
    phone: own(claim.phone, above.phone),
    country: own(claim.country, above.country),
    ...(above.person === undefined ? {} : { person: above.person }),
  };
}
