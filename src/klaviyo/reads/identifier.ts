import * as z from 'zod';
import { bareText } from '../../contracts/addresses.js';

/**
 * An address or number of an answer. Blanks around it are no part of it: a filter that looks for the
 * one finds the other. Null for none, also where nothing but blanks is there.
 */
export const identifier = z
  .string()
  .nullish()
  .transform((text) => bareText(text ?? '') || null);
