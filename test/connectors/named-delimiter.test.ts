import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { intentsOf } from '../support/sources.js';

const read = async (text: string | Buffer) =>
  (await intentsOf(text, { undated: 'subscribe' })).map(({ line, email }) => [line, email]);

describe('a first line that names the delimiter, as Excel writes it', () => {
  for (const [what, text] of [
    ['a semicolon', 'sep=;\nemail;email_consent\na@example.com;yes\n'],
    ['in quotes and with CRLF', '"sep=;"\r\nemail;email_consent\r\na@example.com;yes\r\n'],
    ['in capitals, a tab', 'SEP=\t\nemail\temail_consent\na@example.com\tyes\n'],
    ['a pipe, which no other file may have', 'sep=|\nemail|email_consent\na@example.com|yes\n'],
    [
      'a semicolon where more commas are',
      'sep=;\nemail;email_consent;a,b,c,d\na@example.com;yes;\n',
    ],
    [
      'with the delimiters of a program that saved it again',
      'sep=;,\nemail;email_consent\na@example.com;yes\n',
    ],
    ['after a byte order mark', '\uFEFFsep=;\nemail;email_consent\na@example.com;yes\n'],
    ['in UTF-16', Buffer.from('\uFEFFsep=;\nemail;email_consent\na@example.com;yes\n', 'utf16le')],
  ] as const) {
    it(`is not the header: ${what}`, async () => {
      assert.deepEqual(await read(text), [[3, 'a@example.com']]);
    });
  }

  it('may come after blank lines', async () => {
    assert.deepEqual(await read('\n\r\nsep=;\n\nemail;email_consent\na@example.com;yes\n'), [
      [6, 'a@example.com'],
    ]);
  });

  it('is a header where it names none', async () => {
    for (const line of ['sep=', 'sep=ab', 'sep="', 'sep,x', 'sep=x']) {
      await assert.rejects(read(`${line}\nemail,email_consent\na@example.com,yes\n`), {
        code: 'layout_unknown',
      });
    }
  });

  it('is not enough of a file', async () => {
    await assert.rejects(read('sep=;\n'), { code: 'file_empty' });
    await assert.rejects(read('sep=;\nemail;email_consent\n'), { code: 'file_without_rows' });
  });
});
