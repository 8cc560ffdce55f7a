import { nearest } from '../../../contracts/nearest.js';
import { DEFAULT_TABLE } from '../../syncs/request.js';
import { programsOf, type Program } from '../program.js';
import type { Problem, Problems } from './problems.js';
import type { Settings } from './schema.js';
import type { SyncEntry } from './sync-schema.js';

/** Names that no entry has, and settings that cannot all hold. */
export function contradictions(settings: Settings, problem: Problems): Problem[] {
  const unknown = unknownNames(settings, problem);
  // What a program means is known once its names are.
  if (unknown.length > 0) return unknown;
  const programs = programsOf(settings);
  const alone = [
    ...accountsWithoutId(settings, programs, problem),
    ...sharedTables(settings, problem),
    ...sameAccountTwice(settings, problem),
    ...newListsOfNobody(settings, programs, problem),
    ...programs.flatMap((program) => impossible(program, settings, problem)),
    ...programs.flatMap((program) => impossibleSegment(program, settings, problem)),
  ];
  return alone.length > 0 ? alone : opposedPairs(programs, problem);
}

function unknownNames(settings: Settings, problem: Problems): Problem[] {
  const { accounts, connections, defaults, programs, syncs } = settings;
  const refer = (path: string[], what: string, name: string, among: object): Problem[] => {
    if (Object.hasOwn(accounts, name) && among === accounts) return [];
    if (Object.hasOwn(among, name)) return [];
    const known = Object.keys(among);
    const meant = nearest(name, known);
    const group = among === accounts ? 'accounts' : 'connections';
    const remedy =
      meant !== null
        ? `did you mean ${meant}?`
        : known.length === 0
          ? `add it to ${group}`
          : `add it to ${group}, which has ${known.join(', ')}`;
    return [problem(path, `names the ${what} ${name}, which is not in ${group}`, remedy)];
  };
  return [
    ...Object.keys(defaults).flatMap((name) =>
      refer(['defaults', name], 'account', name, accounts),
    ),
    ...Object.entries(programs).flatMap(([name, { account, source }]) => [
      ...refer(['programs', name, 'account'], 'account', account, accounts),
      ...(source.connection === undefined
        ? []
        : refer(
            ['programs', name, 'source', 'connection'],
            'connection',
            source.connection,
            connections,
          )),
    ]),
    ...Object.entries(syncs).flatMap(([name, { account, to }]) => [
      ...refer(['syncs', name, 'account'], 'account', account, accounts),
      ...(to.connection === undefined
        ? []
        : refer(['syncs', name, 'to', 'connection'], 'connection', to.connection, connections)),
    ]),
  ];
}

/** Without an id an account is the only one that workers have a key of; two cannot both be that. */
function accountsWithoutId(
  { accounts, syncs }: Settings,
  programs: readonly Program[],
  problem: Problems,
): Problem[] {
  const used = new Set([
    ...programs.map(({ account }) => account.name),
    ...Object.values(syncs).map(({ account }) => account),
  ]);
  if (used.size < 2) return [];
  return Object.entries(accounts).flatMap(([name, { id }]) =>
    id !== undefined || !used.has(name)
      ? []
      : problem(
          ['accounts', name],
          'has no id, but the programs and syncs are of several accounts',
          'give its id, the six characters that Klaviyo calls public API key or site id',
        ),
  );
}

/** Two syncs that write to one table would overwrite each other. */
function sharedTables({ syncs }: Settings, problem: Problems): Problem[] {
  const first = new Map<string, string>();
  return Object.entries(syncs).flatMap(([name, { to }]) =>
    placesOf(to).flatMap((where) => {
      const other = first.get(where);
      if (other === undefined) first.set(where, name);
      return other === undefined || other === name
        ? []
        : problem(
            ['syncs', name, 'to'],
            `writes to ${where}, as syncs.${other} does`,
            `give it a ${to.folder === undefined ? 'table' : 'folder'} of its own`,
          );
    }),
  );
}

/** Where a sync writes that no other may. */
function placesOf({ folder, connection = '', table, lists }: SyncEntry['to']): string[] {
  if (folder !== undefined) return [folder];
  const tables = [table ?? DEFAULT_TABLE, ...(typeof lists === 'string' ? [lists] : [])];
  return tables.map((name) => `${name} of ${connection}`);
}

function sameAccountTwice({ accounts }: Settings, problem: Problems): Problem[] {
  const nameOf = new Map<string, string>();
  return Object.entries(accounts).flatMap(([name, { id }]) => {
    const other = id === undefined ? undefined : nameOf.get(id);
    if (id !== undefined) nameOf.set(id, name);
    if (other === undefined) return [];
    const remedy = 'correct one of them, or make them one account';
    return problem(['accounts', name, 'id'], `is also that of accounts.${other}`, remedy);
  });
}

/** A name in create_lists that no program has is a mistake, there or in the program. */
function newListsOfNobody(
  { accounts }: Settings,
  programs: readonly Program[],
  problem: Problems,
): Problem[] {
  return Object.entries(accounts).flatMap(([account, { create_lists: names }]) => {
    const used = programs.flatMap((program) =>
      program.account.name === account && program.list.value !== null ? [program.list.value] : [],
    );
    return names.flatMap((name, index) => {
      if (used.includes(name)) return [];
      const meant = nearest(name, used);
      return problem(
        ['accounts', account, 'create_lists', index],
        `names the list "${name}", which no program of the account has`,
        meant === null ? 'take it out, or give it to a program' : `did you mean "${meant}"?`,
      );
    });
  });
}

const WHATSAPP_REASON =
  'if it is not connected, Klaviyo stores these numbers without consent for ever: no API says ' +
  'whether it is, and no answer says that consent was dropped';

function impossible(program: Program, { accounts }: Settings, problem: Problems): Problem[] {
  const { name, account, channels, list, optIn, historical } = program;
  if (channels.value.length === 0) return [];
  const at = (key: string): string[] => ['programs', name, key];
  const found: Problem[] = [];
  if (channels.value.includes('whatsapp') && !account.whatsapp) {
    found.push(
      problem(
        at('channels'),
        `has whatsapp, but accounts.${account.name} does not say that WhatsApp is connected: ${WHATSAPP_REASON}`,
        `check it in Klaviyo and write whatsapp: true there, or leave the channel out`,
      ),
    );
  }
  if (list.value !== null || historical.value) return found;
  const process = accounts[account.name]?.default_opt_in;
  if (optIn.value === null) {
    found.push(
      problem(
        at('opt_in'),
        'is not known: without a list the account’s own process applies, which the API does not show',
        `give accounts.${account.name}.default_opt_in, or a list`,
      ),
    );
  } else if (process !== undefined && process !== optIn.value) {
    found.push(
      problem(
        at('opt_in'),
        `is ${optIn.value}, but without a list the process of the account applies, and accounts.${account.name}.default_opt_in is ${process}`,
        'correct one of them, or give a list',
      ),
    );
  }
  return found;
}

/** What only a segment has, and what a segment needs. */
function impossibleSegment(
  { name, list, channels, segment }: Program,
  { programs }: Settings,
  problem: Problems,
): Problem[] {
  const own = programs[name];
  if (segment === null) {
    const given = (['enter', 'leave', 'brakes', 'schedule', 'notify'] as const).filter(
      (key) => own?.[key] !== undefined,
    );
    return given.map((key) =>
      problem(
        ['programs', name, key],
        'is about a segment, but the program has no key: nobody enters or leaves',
        'give the key, the column that tells its people apart, or take this out',
      ),
    );
  }
  const { does, all = false } = segment.leave;
  const at = ['programs', name, 'leave'];
  if (does === 'remove_from_list' && list.value === null) {
    const says = 'is to remove people from the list, but the program has none';
    return [problem(at, says, 'give a list, or another leave.do')];
  }
  if (all && does !== 'unsubscribe' && does !== 'suppress') {
    const says = `has all: true, but ${does} ends nobody's consent`;
    return [problem(at, says, 'give do: unsubscribe or do: suppress, or take all out')];
  }
  if (does === 'suppress' && channels.value.length > 0 && !channels.value.includes('email')) {
    const says = `is to suppress people, which is about their addresses, but the program does not ask for e-mail`;
    return [problem(at, says, 'give do: unsubscribe, or add email to channels')];
  }
  return [];
}

/** A list has one opt-in process: two programs that expect different ones cannot both be right. */
function opposedPairs(programs: readonly Program[], problem: Problems): Problem[] {
  const first = new Map<string, Program>();
  return programs.flatMap((program): Problem[] => {
    const { name, account, channels, list, optIn } = program;
    if (optIn.value === null) return [];
    for (const channel of channels.value) {
      const key = JSON.stringify([account.name, list.value, channel]);
      const other = first.get(key);
      if (other === undefined) first.set(key, program);
      else if (other.optIn.value !== optIn.value) {
        const where = list.value === null ? 'the account’s default process' : `list ${list.value}`;
        return [
          problem(
            ['programs', name, 'opt_in'],
            `is ${optIn.value}, but programs.${other.name} expects ${String(other.optIn.value)} opt-in for ${channel} of ${where}`,
            'a list has one opt-in process: correct one of them, or use two lists',
          ),
        ];
      }
    }
    return [];
  });
}
