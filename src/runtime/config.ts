import { delimiter } from 'node:path';
import { z } from 'zod';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Variables = Readonly<Record<string, string | undefined>>;

/** Everything that Consentry reads from its environment. Only this file reads it. */
export interface Config {
  readonly klaviyo: {
    /** Private API key; null if not set. Never logged: see `redact`. */
    readonly apiKey: string | null;
    /** Without a slash at the end. */
    readonly baseUrl: string;
    /** Klaviyo's id of the account to use, if there are several; null if not set. */
    readonly account: string | null;
  };
  readonly databaseUrl: string | null;
  /** Path of `consentry.yaml`; null if not set. */
  readonly programsFile: string | null;
  readonly temporal: {
    /** All `TEMPORAL_*` variables and those that locate `temporal.toml`, for `@temporalio/envconfig`. */
    readonly variables: Readonly<Record<string, string>>;
    readonly cliPath: string | null;
  };
  /** Folders that replace the user's default folders; null if not set. */
  readonly folders: {
    readonly cache: string | null;
    readonly data: string | null;
    readonly state: string | null;
  };
  readonly logLevel: LogLevel;
  /** `HTTPS_PROXY`, for downloads; null if not set. */
  readonly httpsProxy: string | null;
  /** Folders to search for programs, in order. */
  readonly searchPath: readonly string[];
}

/** One or more environment variables are wrong. The message has a line for each, with what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const apiKey = z
  .string()
  .regex(
    /^[\x21-\x7e]+$/,
    'has blanks or characters that no key has; copy the private API key again',
  )
  .refine((key) => !/^[A-Za-z0-9]{6}$/.test(key), {
    error:
      'looks like the public API key (site id); create a private API key, which begins with pk_, in Klaviyo under Settings > API keys',
  });

const schema = z.object({
  KLAVIYO_API_KEY: apiKey.optional(),
  KLAVIYO_BASE_URL: urlOf(
    ['http:', 'https:'],
    'must be an http or https address such as https://a.klaviyo.com; leave it out to use Klaviyo itself',
  ).optional(),
  CONSENTRY_ACCOUNT: z
    .string()
    .regex(
      /^[A-Za-z0-9_-]{1,64}$/,
      "must be an account's id, the six characters that Klaviyo calls public API key or site id; consentry worker prints it",
    )
    .optional(),
  DATABASE_URL: urlOf(
    ['postgres:', 'postgresql:'],
    'must be a PostgreSQL address such as postgres://user:password@host:5432/database; leave it out to use the built-in database',
  ).optional(),
  CONSENTRY_CONFIG: z.string().optional(),
  TEMPORAL_CLI_PATH: z.string().optional(),
  TEMPORAL_TLS: trueOrFalse().optional(),
  TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: trueOrFalse().optional(),
  CONSENTRY_CACHE_DIR: z.string().optional(),
  CONSENTRY_DATA_DIR: z.string().optional(),
  CONSENTRY_STATE_DIR: z.string().optional(),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .pipe(z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }))
    .optional(),
});

/** envconfig looks for `temporal.toml` in the user's configuration folder. */
const FOR_TEMPORAL = /^(TEMPORAL_.*|HOME|XDG_CONFIG_HOME|APPDATA|USERPROFILE)$/;

/**
 * Reads and checks the environment. Empty variables count as not set.
 *
 * @throws ConfigError naming each wrong variable and what to do about it
 */
export function loadConfig(variables: Variables = process.env): Config {
  const set = Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  const parsed = schema.safeParse(set);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}.`);
    throw new ConfigError(lines.join('\n'));
  }
  const values = parsed.data;
  return {
    klaviyo: {
      apiKey: values.KLAVIYO_API_KEY ?? null,
      baseUrl: (values.KLAVIYO_BASE_URL ?? 'https://a.klaviyo.com').replace(/\/+$/, ''),
      account: values.CONSENTRY_ACCOUNT ?? null,
    },
    databaseUrl: values.DATABASE_URL ?? null,
    programsFile: values.CONSENTRY_CONFIG ?? null,
    temporal: {
      variables: Object.fromEntries(
        Object.entries(set).filter(([name]) => FOR_TEMPORAL.test(name)),
      ),
      cliPath: values.TEMPORAL_CLI_PATH ?? null,
    },
    folders: {
      cache: values.CONSENTRY_CACHE_DIR ?? null,
      data: values.CONSENTRY_DATA_DIR ?? null,
      state: values.CONSENTRY_STATE_DIR ?? null,
    },
    logLevel: values.LOG_LEVEL ?? 'info',
    httpsProxy: set['HTTPS_PROXY'] ?? set['https_proxy'] ?? null,
    searchPath: (set['PATH'] ?? set['Path'] ?? '').split(delimiter).filter(Boolean),
  };
}

/**
 * The configuration with the key that a file of programs refers to.
 *
 * @param name where it is, for messages, which never show it
 * @throws ConfigError
 */
export function withApiKey(config: Config, key: string, name: string): Config {
  const parsed = apiKey.safeParse(key);
  if (parsed.success) return { ...config, klaviyo: { ...config.klaviyo, apiKey: parsed.data } };
  throw new ConfigError(parsed.error.issues.map(({ message }) => `${name} ${message}.`).join('\n'));
}

/** One variable that a file names, such as a database's address; null if it is not set or empty. */
export function variableOf(name: string, variables: Variables = process.env): string | null {
  return variables[name] || null;
}

/**
 * The environment for a program that we start: ours without Klaviyo's key, which only the worker
 * needs, and without `TEMPORAL_*`, which would direct our own dev server's CLI elsewhere.
 */
export function childEnvironment(
  extra: Readonly<Record<string, string>> = {},
  variables: Variables = process.env,
): Record<string, string | undefined> {
  const kept = Object.entries(variables).filter(
    ([name]) => name !== 'KLAVIYO_API_KEY' && !name.startsWith('TEMPORAL_'),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** envconfig reads any other word as false, and would then send the key without TLS. */
function trueOrFalse() {
  return z.enum(['true', 'false', '1', '0'], { error: 'must be true or false' });
}

/** The messages never show the value: a database address has a password. */
function urlOf(protocols: readonly string[], message: string) {
  return z.string().refine((value) => protocols.includes(protocolOf(value)), { error: message });
}

function protocolOf(value: string): string {
  return URL.canParse(value) ? new URL(value).protocol : '';
}
