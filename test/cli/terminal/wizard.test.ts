import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { ConsentChannel } from '../../../src/contracts/channels.js';
import { finishDraft } from '../../../src/importers/mapping/draft.js';
import {
  answerProblem,
  openQuestions,
  withAnswer,
} from '../../../src/importers/mapping/questions.js';
import { suggestMapping } from '../../../src/importers/mapping/suggest.js';
import type { Sample } from '../../../src/importers/sample.js';
import { askMapping } from '../../../src/cli/terminal/wizard.js';

function sampleOf(text: string): Sample {
  const [columns = [], ...rows] = text.split('\n').map((line) => line.split('|'));
  return { columns, rows };
}

const CLEAR = sampleOf(
  [
    'Customer e-mail|Mobile phone|Country|Newsletter opt-in|Newsletter since|SMS consent|SMS consent date',
    'ada@example.com|+12015550123|US|yes|2021-03-04T05:06:07Z|no|',
    'bob@example.com|+12015550124|US|unsubscribed|2021-03-05T05:06:07Z|yes|2021-03-05T05:06:07Z',
  ].join('\n'),
);

const MESSY = sampleOf(
  [
    'Kontakt|Nummer|Status|Eingetragen|Ort',
    'ada@example.com|0151 23456789|aktiv|04.03.2021 05:06|Ulm',
    'bob@example.com|0151 23456788|abgemeldet|05.03.2021 06:07|Ulm',
    'eve@example.com||ja|31.12.2020 23:59|Bonn',
  ].join('\n'),
);

describe('suggestMapping', () => {
  const suggest = (sample: Sample, channels: readonly ConsentChannel[]) =>
    suggestMapping(sample.columns, sample.rows, channels);

  it('has no questions about a source that speaks for itself', () => {
    const { draft, questions } = suggest(CLEAR, ['email', 'sms']);
    assert.deepEqual(questions, []);
    assert.deepEqual(finishDraft(draft), {
      version: 1,
      email: 'Customer e-mail',
      phone: 'Mobile phone',
      country: { column: 'Country' },
      channels: {
        email: {
          consent: {
            column: 'Newsletter opt-in',
            subscribed: ['yes'],
            unsubscribed: ['unsubscribed'],
          },
          date: { column: 'Newsletter since' },
        },
        sms: {
          consent: { column: 'SMS consent', subscribed: ['yes'], never: ['no'] },
          date: { column: 'SMS consent date' },
        },
      },
    });
  });

  it('guesses columns by what is in them, and asks for what only a person knows', () => {
    const { draft, questions } = suggest(MESSY, ['email', 'sms']);
    assert.deepEqual([draft.email, draft.phone], ['Kontakt', 'Nummer']);
    assert.deepEqual(
      questions.map((question) =>
        'channel' in question ? `${question.kind} ${question.channel}` : question.kind,
      ),
      ['consent email', 'date email', 'consent sms', 'date sms', 'country'],
    );
  });

  it('never takes an identifier for consent', () => {
    const sample = sampleOf('email|phone|whatsapp number\na@example.com|+12015550123|+12015550123');
    const { draft } = suggest(sample, ['email', 'sms', 'whatsapp', 'push', 'sms_transactional']);
    assert.deepEqual(draft.channels, {
      email: {},
      sms: {},
      whatsapp: {},
      push: {},
      sms_transactional: {},
    });
  });

  it('asks for each word of whose meaning there is doubt', () => {
    const sample = sampleOf(
      'email|email status\na@example.com|yes\nb@example.com|cleaned\nc@example.com|NO\nd@example.com|',
    );
    const { questions } = suggest(sample, ['email']);
    assert.deepEqual(
      questions.map((question) => (question.kind === 'word' ? question.word : question.kind)),
      ['cleaned', 'date'],
    );
  });

  it('asks which of two date formats it is', () => {
    const rows =
      'email|email consent|email consent date\na@example.com|yes|03/04/2021\nb@example.com|yes|05/06/2021';
    const [question] = suggest(sampleOf(rows), ['email']).questions;
    assert.deepEqual(question?.kind === 'date_format' && question.formats, [
      'M/d/yyyy',
      'd/M/yyyy',
    ]);
    const clear = suggest(sampleOf(`${rows}\nc@example.com|yes|25/06/2021`), ['email']);
    assert.deepEqual(
      clear.questions.map(({ kind }) => kind),
      ['timezone'],
    );
    assert.equal(clear.draft.channels.email?.date?.format, 'd/M/yyyy');
  });

  it('finds suppressions, days of birth and devices', () => {
    const sample = sampleOf(
      'email|suppressed|birthday|device token|os|push consent\na@example.com|yes|1980-01-02|t1|iOS|yes\nb@example.com|no|1981-01-02|t2|android|no',
    );
    const { draft } = suggest(sample, ['push']);
    assert.deepEqual(
      [draft.suppressed, draft.dateOfBirth, draft.push],
      [
        { column: 'suppressed', values: ['yes'] },
        { column: 'birthday', format: null },
        { token: 'device token', platform: 'os' },
      ],
    );
  });

  const problems: [Parameters<typeof answerProblem>[0], string | null, RegExp | null][] = [
    [{ kind: 'timezone', example: '' }, 'Mars', /no time zone "Mars"/],
    [{ kind: 'timezone', example: '' }, 'UTC', null],
    [{ kind: 'country', example: '', columns: ['Land'] }, 'Germany', /two-letter country code/],
    [{ kind: 'country', example: '', columns: ['Land'] }, 'Land', null],
    [{ kind: 'country', example: '', columns: ['Land'] }, 'de', null],
    [{ kind: 'attestation', channel: 'sms' }, ' ', /who gave consent/],
    [{ kind: 'identifier', of: 'email', columns: ['a'] }, null, /Choose a column/],
    [{ kind: 'word', channel: 'email', column: 'a', word: 'x' }, 'maybe', /Choose a meaning/],
    [
      { kind: 'date_format', channel: 'email', column: 'a', example: '4.3.21', formats: [] },
      'd.M.yy',
      /"yy"/,
    ],
    [
      { kind: 'date_format', channel: 'email', column: 'a', example: '4.3.21', formats: [] },
      'd.M.yyyy',
      /does not match "4.3.21"/,
    ],
    [{ kind: 'date', channel: 'email', columns: [] }, null, null],
  ];
  for (const [question, answer, says] of problems) {
    it(`${says === null ? 'takes' : 'refuses'} "${String(answer)}" for ${question.kind}`, () => {
      const problem = answerProblem(question, answer);
      if (says === null) assert.equal(problem, null);
      else assert.match(problem ?? '', says);
    });
  }

  it('is complete when no question is left, whatever the answers', () => {
    let { draft } = suggest(MESSY, ['email', 'sms']);
    for (let asked = 0; ; asked++) {
      const [question] = openQuestions(draft, MESSY);
      if (question === undefined) break;
      assert.ok(asked < 20, 'the questions have no end');
      const answer = {
        consent: null,
        attestation: 'me',
        word: 'never',
        date: 'Eingetragen',
        date_format: 'd.M.yyyy H:mm',
        timezone: 'UTC',
        country: 'DE',
        identifier: 'Kontakt',
      }[question.kind];
      assert.equal(answerProblem(question, answer), null);
      draft = withAnswer(draft, question, answer, MESSY);
    }
    assert.deepEqual(finishDraft(draft).channels.sms?.consent, {
      constant: 'subscribed',
      attested: 'me',
    });
  });
});

const DOWN = '\u001B[B';
const ENTER = '\r';

/** Like the process's own, a stream that a prompt cannot end. */
class Screen extends PassThrough {
  override end(): this {
    return this;
  }
}

/** Answers prompts: waits for each question, then presses its keys. */
async function converse(
  sample: Sample,
  channels: readonly ConsentChannel[],
  answers: readonly (readonly [question: RegExp, keys: string])[],
): Promise<{ result: Awaited<ReturnType<typeof askMapping>>; screen: string }> {
  const input = new PassThrough();
  const output = new Screen();
  let screen = '';
  let unread = '';
  const left = [...answers];
  output.on('data', (bytes: Buffer) => {
    const text = stripVTControlCharacters(bytes.toString());
    screen += text;
    unread += text;
    const [next] = left;
    if (next === undefined || !next[0].test(unread)) return;
    left.shift();
    unread = '';
    // The prompt listens to keys from the turn after its first rendering on.
    setImmediate(() => input.write(next[1]));
  });
  const result = await askMapping({ input, output }, sample, channels);
  assert.deepEqual(left, [], `not asked; the screen:\n${screen}`);
  return { result, screen };
}

describe('askMapping', () => {
  it('only asks whether it is right where nothing else is open', async () => {
    const { result, screen } = await converse(CLEAR, ['email'], [[/Is this correct/, ENTER]]);
    assert.equal(result?.email, 'Customer e-mail');
    assert.match(screen, /E-mail address: column "Customer e-mail"\./);
  });

  it('asks question by question, and again where an answer cannot be', async () => {
    const { result } = await converse(
      MESSY,
      ['email'],
      [
        [/Which column says who consented to email/, DOWN.repeat(2) + ENTER],
        [/What does "aktiv" in "Status" mean/, DOWN + ENTER],
        [/What does "abgemeldet" in "Status" mean/, DOWN.repeat(2) + ENTER],
        [/Which column has the date/, DOWN.repeat(3) + ENTER],
        [/Which time zone/, `Mars${ENTER}`],
        [/There is no time zone "Mars"/, `\u007F\u007F\u007F\u007FEurope/Berlin${ENTER}`],
        [/Is this correct/, ENTER],
      ],
    );
    assert.deepEqual(result, {
      version: 1,
      email: 'Kontakt',
      phone: 'Nummer',
      timezone: 'Europe/Berlin',
      channels: {
        email: {
          consent: { column: 'Status', subscribed: ['ja', 'aktiv'], unsubscribed: ['abgemeldet'] },
          date: { column: 'Eingetragen', format: 'd.M.yyyy H:mm' },
        },
      },
    });
  });

  it('asks everything again where its guesses were wrong', async () => {
    const sample = sampleOf('email|other|email consent\na@example.com|b@example.com|yes');
    const { result } = await converse(
      sample,
      ['email'],
      [
        [/Which column has the date/, DOWN.repeat(3) + ENTER],
        [/Is this correct/, `n${ENTER}`],
        [/Which column has the e-mail address/, DOWN + ENTER],
        [/Which column says who consented/, DOWN.repeat(3) + ENTER],
        [/who gave it, when and how/, `paper forms of 2024${ENTER}`],
        [/Which column has the date/, DOWN.repeat(3) + ENTER],
        [/Is this correct/, ENTER],
      ],
    );
    assert.deepEqual(
      [result?.email, result?.channels.email?.consent],
      ['other', { constant: 'subscribed', attested: 'paper forms of 2024' }],
    );
  });

  it('gives nothing where the person breaks off', async () => {
    const { result } = await converse(MESSY, ['email'], [[/Which column says/, '\u0003']]);
    assert.equal(result, null);
  });
});
