import type { Preflight } from '../../contracts/migration.js';
import { count, counted } from './quantities.js';

export function renderPreflight(preflight: Preflight): string {
  const { accountId, list, optInProcess, sms, warnings } = preflight;
  const facts: [string, string][] = [
    ['Account', accountId],
    ...keyFacts(preflight.access),
    ['List', list === null ? 'none' : list.id],
    [
      'Opt-in process',
      `${optInProcess ?? 'not known'}${list === null && optInProcess !== null ? ' (from --opt-in)' : ''}`,
    ],
    ...(list === null ? [] : [['Flows', flowsOf(preflight.flows)] satisfies [string, string]]),
    ['SMS', `${SMS[sms.source]}${sms.countries.length > 0 ? `: ${sms.countries.join(', ')}` : ''}`],
    ...preflight.limits.map((limit, place): [string, string] => [
      place === 0 ? 'Limits' : '',
      limitOf(limit),
    ]),
  ];
  return [
    ...facts.map(([name, value]) => `${name === '' ? ' ' : `${name}:`}`.padEnd(16) + value),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ].join('\n');
}

const SMS: Record<Preflight['sms']['source'], string> = {
  api: 'senders, read from the account',
  declared: 'senders, as declared with --sms-countries',
  not_needed: 'not asked for',
};

function keyFacts(access: Preflight['access']): [string, string][] {
  const scopes = (allowed: boolean | null) => [
    ...new Set(access.flatMap((one) => (one.allowed === allowed ? one.scopes : []))),
  ];
  const [may, mayNot] = [scopes(true), scopes(false)];
  const untold = scopes(null).filter((scope) => !may.includes(scope) && !mayNot.includes(scope));
  const writes = untold.filter((scope) => scope.endsWith(':write'));
  const reads = untold.filter((scope) => !scope.endsWith(':write'));
  const facts: [string, string][] = [];
  if (may.length > 0) facts.push(['Key may', may.join(', ')]);
  if (mayNot.length > 0) facts.push(['Key may not', mayNot.join(', ')]);
  if (writes.length > 0)
    facts.push(['Key must also', `${writes.join(', ')} (not tried: they write)`]);
  if (reads.length > 0) facts.push(['Key should', `${reads.join(', ')} (not tried yet)`]);
  return facts;
}

function flowsOf(flows: Preflight['flows']): string {
  if (flows === null) return 'not known: the key may not read flows';
  if (flows.length === 0) return 'none starts when somebody joins the list';
  return flows.map(({ id, name, status }) => `${name ?? id} (${status ?? 'unknown'})`).join(', ');
}

function limitOf({
  endpoint,
  burst,
  steady,
  remaining,
  windowSeconds,
}: Preflight['limits'][number]): string {
  const free =
    remaining === null
      ? ''
      : windowSeconds === 60
        ? `; ${count(remaining)} left this minute`
        : `; ${count(remaining)} left this second`;
  return `${endpoint}: ${counted(burst, 'call')} per second, ${count(steady)} per minute${free}`;
}
