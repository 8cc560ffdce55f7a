import * as z from 'zod';
import { bareText } from '../../contracts/addresses.js';

/**
 * An address or number in an answer, without surrounding blanks, which Klaviyo's filters ignore
 * too. Null for none, and for blanks only.
 */
export const identifier = z
  .string()
  .nullish()
  .transform((text) => bareText(text ?? '') || null);
