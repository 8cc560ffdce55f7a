/**
 * Numbers that belong to nobody: 555-0100 to 555-0199 of each North American area code, the
 * Australian and Swedish regulators' numbers for fiction, and the drama ranges for landlines.
 */
const US_AREAS =
  '201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 443 469 478 479 480 484 501'.split(
    ' ',
  );
const CA_AREAS = '204 226 236 250 289 306 343 403 416 418 438 450 506 514 519'.split(' ');
const PR_AREAS = ['787', '939'];
const AU_MOBILES =
  '570006 570156 570157 570158 570159 570110 570313 570737 571266 571491 571804 572549 572665 572983 573770 573087 574118 574632 575254 575789 576398 576801 577426 577644 578957 578148 578888 579212 579760 579455'
    .split(' ')
    .map((end) => `+61491${end}`);
/** Area codes for the account's other people, which no row of the export uses. */
const BYSTANDER_AREAS = ['602', '603', '604', '605', '606', '607', '608', '609'];

const LANDLINES = [
  ['GB', '020 7946 0', 3],
  ['AU', '03 5550 1', 3],
  ['DE', '030 23125', 3],
] as const;

export interface DemoPhone {
  readonly e164: string;
  /** ISO 3166-1 alpha-2, as in Mailchimp's column CC. */
  readonly country: string;
}

/** How many numbers with a sender there are; then they repeat. */
export const PHONES_WITH_SENDER = AU_MOBILES.length + (US_AREAS.length + CA_AREAS.length) * 100;

/** The n-th mobile-like number of countries with a sender. */
export function phoneWithSender(n: number): DemoPhone {
  const at = n % PHONES_WITH_SENDER;
  const mobile = AU_MOBILES[at];
  if (mobile !== undefined) return { e164: mobile, country: 'AU' };
  const areas = US_AREAS.length + CA_AREAS.length;
  const area = (at - AU_MOBILES.length) % areas;
  const line = Math.floor((at - AU_MOBILES.length) / areas);
  const us = US_AREAS[area];
  return us === undefined
    ? fiction(CA_AREAS[area - US_AREAS.length], line, 'CA')
    : fiction(us, line, 'US');
}

/** Valid numbers of Puerto Rico and Sweden, where the demo account cannot send; 295 of them. */
export function phoneWithoutSender(n: number): DemoPhone {
  const at = n % 295;
  if (at < 200) return fiction(PR_AREAS[at % 2], Math.floor(at / 2), 'PR');
  return { e164: `+467017406${String(at - 200 + 5).padStart(2, '0')}`, country: 'SE' };
}

/** Landlines in national format, which are read with the row's country. */
export function landline(n: number): { readonly text: string; readonly country: string } {
  const [country, start, digits] = LANDLINES[n % LANDLINES.length] ?? LANDLINES[0];
  return { text: start + String(n % 1_000).padStart(digits, '0'), country };
}

export function tollFree(n: number): string {
  return `+1 800-555-0${100 + (n % 100)}`;
}

export function bystanderPhone(n: number): string | null {
  const area = BYSTANDER_AREAS[Math.floor(n / 100)];
  return area === undefined ? null : fiction(area, n % 100, 'US').e164;
}

function fiction(area: string | undefined, line: number, country: string): DemoPhone {
  if (area === undefined) throw new RangeError(`no area code for line ${line} of ${country}`);
  return { e164: `+1${area}5550${100 + line}`, country };
}
