import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSource } from '../../src/importers/open-source.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { OPTIONS } from '../support/sources.js';

describe('the location of a query', () => {
  const broken = [
    'postgres://ada:s3cret#x@host:port/shop',
    'postgres:ada:s3cret@host/shop',
    'mysql://ada:s3cret%@host/shop',
    'mysql://ada:s3cret@host:99999/shop',
  ];
  for (const url of broken) {
    it(`is not shown where it cannot be read: ${url}`, async () => {
      await assert.rejects(openSource(url, OPTIONS, 'select 1'), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, 'database_url_invalid');
        assert.doesNotMatch(`${error.message} ${error.stack}`, /s3cret/);
        assert.match(error.message, /percent-encoded/);
        return true;
      });
    });
  }

  it('needs a query', async () => {
    for (const query of [null, ' ']) {
      await assert.rejects(openSource('postgres://ada@host/shop', OPTIONS, query), {
        code: 'query_missing',
        message: /--query/,
      });
    }
  });

  it('is a database, not a file', async () => {
    await assert.rejects(openSource('people.csv', OPTIONS, 'select 1'), {
      code: 'query_without_database',
      file: 'people.csv',
    });
  });
});
