import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeMapping } from '../../../src/importers/mapping/describe.js';
import { parseMapping } from '../../../src/importers/mapping/mapping-file.js';
import type { Mapping } from '../../../src/importers/mapping/schema.js';
import type { ImportOptions } from '../../../src/importers/options.js';
import { SourceError } from '../../../src/connectors/source-error.js';
import { inShort, intentsOf } from '../../support/sources.js';
import { mappingOf } from '../../support/documentation.js';

type Options = Partial<ImportOptions>;

const live: Options = { undated: 'subscribe' };

interface Case {
  readonly name: string;
  readonly mapping: string;
  readonly options: Options;
  readonly file: readonly string[];
  readonly asks: readonly (readonly [who: string, ...parts: string[]])[];
}

const CASES: readonly Case[] = [
  {
    name: 'Braze, CSV: only who left is known',
    mapping: 'braze-csv',
    options: live,
    file: [
      'Braze ID,created_at,email,unsubscribed_from_emails_at,user_id',
      '1,2020-01-01,ada@example.com,,7',
      '2,2020-01-01,bob@example.com,2021-03-04 05:06:07 UTC,8',
      '3,2020-01-01,cat@example.com,some day,9',
    ],
    asks: [
      ['ada@example.com', 'email nothing_asked'],
      ['bob@example.com', 'email unsubscribe 2021-03-04T05:06:07Z'],
      ['cat@example.com', 'email unsubscribe date_not_used'],
    ],
  },
  {
    name: 'Braze, JSON: subscribed is what everybody is, opted_in is consent',
    mapping: 'braze-json',
    options: {},
    file: [
      '{"email":"ada@example.com","email_subscribe":"opted_in","email_opted_in_at":"2021-03-04T05:06:07Z","email_unsubscribed_at":null}',
      '{"email":"bob@example.com","email_subscribe":"subscribed"}',
      '{"email":"cat@example.com","email_subscribe":"unsubscribed","email_opted_in_at":"2021-03-04T05:06:07Z","email_unsubscribed_at":"2022-03-04T05:06:07Z"}',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email nothing_asked'],
      ['cat@example.com', 'email unsubscribe 2022-03-04T05:06:07Z'],
    ],
  },
  {
    name: 'Iterable: whoever is out of a channel or a type of message',
    mapping: 'iterable',
    options: live,
    file: [
      'email,userId,emailListIds,unsubscribedChannelIds,unsubscribedMessageTypeIds',
      'ada@example.com,1,"[1,2]",[],[]',
      'bob@example.com,2,"[1,2]","[1,2]",',
      'cat@example.com,3,[1],,[4]',
    ],
    asks: [
      ['ada@example.com', 'email nothing_asked'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email unsubscribe'],
    ],
  },
  {
    name: 'Customer.io: consent is a topic, and unsubscribed wins over it',
    mapping: 'customer-io',
    options: live,
    file: [
      'id,cio_id,email,created_at,unsubscribed,cio_subscription_preferences',
      '1,a,ada@example.com,1614834367,false,"{""topics"":{""topic_1"":true}}"',
      '2,b,bob@example.com,1614834367,true,"{""topics"":{""topic_1"":true}}"',
      '3,c,cat@example.com,1614834367,false,"{""topics"":{""topic_1"":false}}"',
      '4,d,dan@example.com,1614834367,false,',
      '5,e,eve@example.com,1614834367,false,"{""topics"":{""topic_9"":true}}"',
    ],
    asks: [
      ['ada@example.com', 'email subscribe'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email unsubscribe'],
      ['dan@example.com', 'email nothing_asked'],
      ['eve@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'beehiiv: only active people; nobody left when they joined',
    mapping: 'beehiiv',
    options: {},
    file: [
      'Email,Status,Created At,Subscription Tier',
      'ada@example.com,active,2021-03-04T05:06:07Z,free',
      'bob@example.com,inactive,2021-03-04T05:06:07Z,free',
      'cat@example.com,pending,2021-03-04T05:06:07Z,free',
      'dan@example.com,invalid,2021-03-04T05:06:07Z,premium',
    ],
    asks: [
      ['ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      ['bob@example.com', 'email unsubscribe'],
      ['cat@example.com', 'email nothing_asked'],
      ['dan@example.com', 'email consent_value_unknown'],
    ],
  },
  {
    name: 'Yotpo: a blank never subscribed, and a suppression wins',
    mapping: 'yotpo',
    options: { ...live, channels: ['email', 'sms'] },
    file: [
      'email,phone_number,email_consent,sms_consent,suppress_email,source',
      'ada@example.com,+12015550123,subscribed,unsubscribed,false,form',
      'bob@example.com,+12015550124,,subscribed,false,form',
      'cat@example.com,,subscribed,,true,form',
      'dan@example.com,,,,false,form',
    ],
    asks: [
      ['ada@example.com', 'email subscribe', 'sms unsubscribe'],
      ['bob@example.com', 'sms subscribe'],
      ['cat@example.com', 'suppression suppress'],
      ['dan@example.com', 'email nothing_asked'],
    ],
  },
];

describe('a mapping of docs/mappings', () => {
  for (const { name, mapping, options, file, asks } of CASES) {
    it(name, async () => {
      const given = { ...options, mapping: mappingOf(mapping) };
      const intents = await intentsOf(`${file.join('\n')}\n`, given);
      assert.deepEqual(
        intents.map((intent) => [intent.email, ...inShort(intent)]),
        asks,
      );
    });
  }
});

describe('a mapping with opt-outs', () => {
  const withChannel = (channel: string) =>
    parseMapping(`email: E\nchannels: { email: ${channel} }`, 'm.yaml');
  const attested = '{ constant: subscribed, attested: order forms of May 2024 }';

  it('lets them win over consent of every row, and over words that nobody knows', async () => {
    const both = withChannel(`{ consent: ${attested}, opted_out: [A, B] }`);
    const words = withChannel(`{ consent: { column: C, subscribed: [ja] }, opted_out: A }`);
    const text = 'E,A,B,C\na@shop.test,,,x\nb@shop.test,no,1,x\nc@shop.test,x,false,x\n';
    const asked = async (mapping: Mapping) => {
      const intents = await intentsOf(text, { ...live, mapping });
      return intents.flatMap(inShort);
    };
    assert.deepEqual(await asked(both), [
      'email subscribe consent_attested',
      'email unsubscribe',
      'email unsubscribe',
    ]);
    assert.deepEqual(await asked(words), [
      'email consent_value_unknown',
      'email consent_value_unknown',
      'email unsubscribe',
    ]);
  });

  it('is asked about where it subscribes everybody, and the file’s name says that they left', async () => {
    const mapping = withChannel(`{ consent: ${attested} }`);
    const text = 'E\na@shop.test\n';
    await assert.rejects(intentsOf(text, { ...live, mapping }, 'unsubscribed.csv'), {
      code: 'status_not_told',
      message: /--operation unsubscribe.*rename the file/,
    });
    const out: Options = { ...live, mapping, operation: 'unsubscribe' };
    const intents = await intentsOf(text, out, 'unsubscribed.csv');
    assert.deepEqual(intents.flatMap(inShort), ['email unsubscribe']);
  });

  it('dates them by the date of consent only if it says nothing of their own', async () => {
    const text = 'E,C,D,L\na@shop.test,raus,2021-03-04,2022-03-04\n';
    const consent = 'consent: { column: C, subscribed: [ja], unsubscribed: [raus] }';
    const dates: readonly (readonly [string, string])[] = [
      ['', 'email unsubscribe 2021-03-04T12:00:00Z'],
      [', opted_out_date: { column: L }', 'email unsubscribe 2022-03-04T12:00:00Z'],
      [', opted_out_date: none', 'email unsubscribe'],
    ];
    for (const [key, part] of dates) {
      const mapping = withChannel(`{ ${consent}, date: { column: D }${key} }`);
      const intents = await intentsOf(text, { mapping });
      assert.deepEqual(intents.flatMap(inShort), [part]);
    }
  });

  it('is described', () => {
    const mapping = withChannel(
      '{ opted_out: [A, B], opted_out_date: { column: L, timezone: UTC } }',
    );
    assert.match(
      describeMapping(mapping),
      /email: any value but a blank or a no in "A" or "B" unsubscribes, whatever else the row says\.\nemail date of opt-outs: column "L", in UTC\./,
    );
    assert.match(
      describeMapping(withChannel('{ opted_out: A, opted_out_date: none }')),
      /email: no column says when people opted out\./,
    );
  });

  it('has to say something of its channel', () => {
    assert.throws(() => withChannel('{ date: { column: D } }'), {
      code: 'mapping_invalid',
      message: /channels\.email\.consent: say who consented/,
    });
  });

  it('names a column of opt-outs that the source lacks', async () => {
    const mapping = withChannel('{ opted_out: Gone }');
    await assert.rejects(intentsOf('E\na@shop.test\n', { mapping }), (error) => {
      assert.ok(error instanceof SourceError);
      assert.deepEqual([error.code, error.column], ['column_missing', 'Gone']);
      return true;
    });
  });
});
