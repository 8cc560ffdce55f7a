import { Random } from './random.js';

const FIRST =
  'Ada Amir Anna Bea Ben Carl Chloe Dana Dev Elif Emma Erik Fay Finn Gina Hana Hugo Ida Ines Ivan Jana Jonas Kai Kira Lara Leon Lin Lucy Mara Max Mei Milo Nadia Nils Nora Omar Otto Paula Pia Quinn Rosa Ruben Sara Sven Tara Theo Uma Vera Wim Yuki Zoe'.split(
    ' ',
  );
const LAST =
  'Abbott Bauer Berg Brook Castle Costa Dale Drake Fields Fischer Ford Frost Glass Grove Hale Hill Holm Ito Jensen Kerr Klein Lake Lund March Marsh Meyer Moor Nash North Oak Olsen Park Petit Pine Reed Ridge Rossi Sand Silva Snow Stone Tanaka Vale Vance Wells West Winter Wolf Wood Young'.split(
    ' ',
  );
/** Reserved by RFC 2606: mail to them reaches nobody. */
const DOMAINS = [
  'example.com',
  'example.net',
  'example.org',
  'mail.example.com',
  'post.example.net',
  'students.example.org',
  'inbox.test',
  'work.test',
] as const;

/** A sandbox that is told to filter this domain drops its addresses. */
export const FILTERED_DOMAIN = 'filtered.example';

export interface Person {
  readonly firstName: string;
  readonly lastName: string;
  /** Lower case; different for each row. */
  readonly email: string;
}

export function personOf(seed: number, row: number, domain?: string): Person {
  const random = new Random(seed, row, 1);
  const firstName = random.pick(FIRST);
  const lastName = random.pick(LAST);
  const at = random.pick(DOMAINS);
  return {
    firstName,
    lastName,
    email: `${firstName}.${lastName}.${row + 1}@${domain ?? at}`.toLowerCase(),
  };
}
