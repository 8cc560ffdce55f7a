import { CONSENT_CHANNELS } from '../../contracts/channels.js';
import type { ChannelMapping, Mapping } from './schema.js';

/** What a mapping does, for a person to check before a run: one sentence per line. */
export function describeMapping(mapping: Mapping): string {
  const { country, suppressed, list, date_of_birth: born, push } = mapping;
  return [
    ...(mapping.email === undefined ? [] : [`E-mail address: column "${mapping.email}".`]),
    ...(mapping.phone === undefined ? [] : [`Phone number: column "${mapping.phone}".`]),
    ...(country?.column === undefined ? [] : [`Country: column "${country.column}".`]),
    ...(country?.constant === undefined ? [] : [`Country of every row: ${country.constant}.`]),
    ...(mapping.timezone === undefined ? [] : [`Dates without a zone are in ${mapping.timezone}.`]),
    ...(born === undefined ? [] : [`Date of birth: column "${born.column}"${asWritten(born)}.`]),
    ...(push === undefined ? [] : [`Device: columns "${push.token}" and "${push.platform}".`]),
    ...CONSENT_CHANNELS.flatMap((channel) => {
      const described = mapping.channels[channel];
      return described === undefined ? [] : describeChannel(channel, described);
    }),
    ...(suppressed === undefined
      ? []
      : [
          `Suppressed: column "${suppressed.column}" is ${listed(suppressed.values)}${suppressed.lifted.length === 0 ? '' : `; lifted: ${listed(suppressed.lifted)}`}.`,
        ]),
    ...(list === undefined ? [] : [`List: column "${list.column}"${describeList(list)}.`]),
  ].join('\n');
}

function describeChannel(channel: string, described: ChannelMapping): string[] {
  const { consent, date, opted_out: outs = [], opted_out_date: leftDate } = described;
  return [
    ...(outs.length === 0
      ? []
      : [
          `${channel}: any value but a blank or a no in ${columnsOf(outs)} unsubscribes, whatever else the row says.`,
        ]),
    ...(consent === undefined
      ? []
      : consent.constant === undefined
        ? [`${channel}: column "${consent.column ?? ''}": ${describeWords(consent)}.`]
        : [`${channel}: every row is ${consent.constant}${attested(consent.attested)}.`]),
    ...describeDate(`${channel} date`, date),
    ...(leftDate === 'none'
      ? [`${channel}: no column says when people opted out.`]
      : describeDate(`${channel} date of opt-outs`, leftDate)),
  ];
}

function columnsOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}

function describeDate(what: string, date: ChannelMapping['date']): string[] {
  return [
    ...(date?.column === undefined ? [] : [`${what}: column "${date.column}"${asWritten(date)}.`]),
    ...(date?.constant === undefined ? [] : [`${what} of every row: ${date.constant}.`]),
  ];
}

function describeWords(consent: NonNullable<ChannelMapping['consent']>): string {
  const meanings: readonly [readonly string[] | undefined, string][] = [
    [consent.subscribed, 'subscribes'],
    [consent.unsubscribed, 'unsubscribes'],
    [consent.list_only, 'is added to the list only'],
    [[...(consent.never ?? []), ''], 'asks nothing'],
  ];
  const said = meanings.flatMap(([words, meaning]) =>
    words === undefined || words.length === 0 ? [] : [`${listed(words)} ${meaning}`],
  );
  return `${said.join(', ')}, any other word is refused`;
}

function describeList({ add, remove }: NonNullable<Mapping['list']>): string {
  return [
    ...(add.length === 0 ? [] : [`, ${listed(add)} adds to it`]),
    ...(remove.length === 0 ? [] : [`, ${listed(remove)} removes from it`]),
    ', a blank asks nothing, any other word is refused',
  ].join('');
}

function listed(words: readonly string[]): string {
  return words.map((word) => (word === '' ? 'a blank' : `"${word}"`)).join(' or ');
}

function asWritten({
  format,
  timezone,
}: {
  readonly format?: string | undefined;
  readonly timezone?: string | undefined;
}): string {
  return `${format === undefined ? '' : `, written ${format}`}${timezone === undefined ? '' : `, in ${timezone}`}`;
}

function attested(words: string | undefined): string {
  return words === undefined ? '' : `, attested: ${words}`;
}
