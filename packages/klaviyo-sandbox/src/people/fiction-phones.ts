/** Area codes of the US and of Canada. */
const AREAS =
  '201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 443 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 540 541 551 559 561 562 563 567 570 571 573 574 575 580 585 586 ' +
  '204 226 236 250 289 306 343 403 416 418 438 450 506 514 519 579 581 587 604 613';
const CODES = AREAS.split(' ');

/** Reserved for fiction. */
const FICTION = { from: 100, to: 199 };
/**
 * The rest of the exchange 555, which carriers do not assign to people; 1212 is directory
 * assistance.
 */
const REST = { from: 200, to: 9_999, not: 1_212 };
const LINES = FICTION.to - FICTION.from + 1 + (REST.to - REST.from);

/** How many numbers there are. */
export const FICTION_PHONES = CODES.length * LINES;

/**
 * The n-th number in the US or Canada that belongs to nobody: first those reserved for fiction.
 *
 * @throws RangeError from `FICTION_PHONES` on
 */
export function fictionPhone(n: number): string {
  const code = CODES[n % CODES.length]!;
  const place = Math.floor(n / CODES.length);
  if (place >= LINES)
    throw new RangeError(`there are no more than ${FICTION_PHONES} phone numbers`);
  let line = FICTION.from + place;
  if (line >= REST.not) line += 1;
  return `+1${code}555${String(line).padStart(4, '0')}`;
}
