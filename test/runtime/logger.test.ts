import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger } from '../../src/runtime/logger.js';
import type { Logger } from '../../src/runtime/logger.js';
import type { LogLevel } from '../../src/runtime/config.js';
import { redact } from '../../src/runtime/redact.js';
import { temporalLogger } from '../../src/runtime/temporal-logger.js';

describe('redact', () => {
  const cases: [name: string, text: string, expected: string][] = [
    ['an e-mail address', 'to ada@example.com now', 'to [e-mail] now'],
    ['one with a plus and dots', 'a.d+a@mail.example.co.uk.', '[e-mail].'],
    ['one beyond ASCII', 'zoë@exämple.test', '[e-mail]'],
    ['two of them', 'a@example.com,b@example.org', '[e-mail],[e-mail]'],
    ['one after an escaped line break', '"x\\nada@example.com"', '"x\\n[e-mail]"'],
    ['a number in E.164', 'to +12025550123 now', 'to [phone] now'],
    ['a number with blanks', '+44 20 7946 0958', '[phone]'],
    ['a North American number', '(202) 555-0123 or 202-555-0199', '[phone] or [phone]'],
    ['a private key', 'key pk_0a1b2c refused', 'key [key] refused'],
    [
      'the password of a database',
      'postgres://me:hunter2@db.example:5432/x',
      'postgres://me:[secret]@db.example:5432/x',
    ],
    ['no id of a job', 'job 01J8XZ4R5T-123-4567', 'job 01J8XZ4R5T-123-4567'],
    ['no date', '2021-03-04T05:06:07Z', '2021-03-04T05:06:07Z'],
    ['no package of npm', '@temporalio/worker 1.24.0', '@temporalio/worker 1.24.0'],
    ['no URL', 'https://a.klaviyo.com/api/profiles', 'https://a.klaviyo.com/api/profiles'],
  ];
  for (const [name, text, expected] of cases) {
    it(name.startsWith('no ') ? `leaves ${name.slice(3)} alone` : `cuts out ${name}`, () => {
      assert.equal(redact(text), expected);
    });
  }
});

describe('logger', () => {
  it('cuts people out of messages, fields, nested fields and errors, and stays JSON', () => {
    const { logger, lines } = capture('info');
    logger.info(
      { to: 'ada@example.com', deep: [{ phone: '+12025550123' }] },
      'mail ada@example.com',
    );
    logger.error({ err: new Error('no\nada@example.com "pk_0a1b"') }, 'failed');
    const text = lines.join('');
    assert.doesNotMatch(text, /ada|example|2025550123|pk_0a1b/);
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(first?.['msg'], 'mail [e-mail]');
    assert.equal(first?.['level'], 'info');
    assert.match(JSON.stringify(second?.['err']), /no\\n\[e-mail\]/);
  });

  it('logs nothing below its level', () => {
    const { logger, lines } = capture('warn');
    logger.info('quiet');
    logger.warn('loud');
    assert.equal(lines.length, 1);
  });

  it('takes the messages of the Temporal SDK at their level, with the stack of an error', () => {
    const { logger, lines } = capture('trace');
    const sdk = temporalLogger(logger);
    sdk.trace('one');
    sdk.warn('two', { taskQueue: 'consentry', error: new Error('broken') });
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(first?.['level'], 'trace');
    assert.equal(second?.['level'], 'warn');
    assert.equal(second?.['taskQueue'], 'consentry');
    assert.match(JSON.stringify(second?.['err']), /broken.*logger\.test/);
  });
});

function capture(level: LogLevel): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line: string) => void lines.push(line) });
  return { logger, lines };
}
