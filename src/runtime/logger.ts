import pino from 'pino';
import type { DestinationStream } from 'pino';
import type { LogLevel } from './config.js';
import { redact } from './redact.js';

export type Logger = pino.Logger;

/**
 * Logs one JSON line per event to stderr; stdout is for the verbs' results. The whole line goes
 * through `redact`, so a person's address is removed from any field or error.
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
