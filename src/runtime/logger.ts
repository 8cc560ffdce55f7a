import pino from 'pino';
import type { DestinationStream } from 'pino';
import type { LogLevel } from './config.js';
import { redact } from './redact.js';

export type Logger = pino.Logger;

/**
 * Logs a JSON line an event to stderr; stdout belongs to the verbs' results. Every line goes
 * through `redact` as a whole, so it does not matter in which field or error a person's address
 * would have stood.
 */
export function createLogger(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redact },
    },
    destination,
  );
}
