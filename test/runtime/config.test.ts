import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childEnvironment, ConfigError, loadConfig } from '../../src/runtime/config.js';

describe('configuration', () => {
  it('needs no variable at all', () => {
    const config = loadConfig({});
    assert.equal(config.klaviyo.apiKey, null);
    assert.equal(config.klaviyo.baseUrl, 'https://a.klaviyo.com');
    assert.equal(config.databaseUrl, null);
    assert.equal(config.logLevel, 'info');
    assert.deepEqual(config.folders, { cache: null, data: null, state: null });
  });

  it('takes an empty variable for one that is not set', () => {
    const config = loadConfig({ DATABASE_URL: '', KLAVIYO_API_KEY: '', LOG_LEVEL: '' });
    assert.equal(config.databaseUrl, null);
    assert.equal(config.klaviyo.apiKey, null);
  });

  it('takes what is set', () => {
    const config = loadConfig({
      KLAVIYO_API_KEY: 'pk_0123456789',
      KLAVIYO_BASE_URL: 'http://127.0.0.1:8080/',
      DATABASE_URL: 'postgresql://me:secret@db.example/consent',
      LOG_LEVEL: 'DEBUG',
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_CLI_PATH: '/opt/temporal',
      PATH: ['/a', '/b'].join(process.platform === 'win32' ? ';' : ':'),
    });
    assert.equal(config.klaviyo.apiKey, 'pk_0123456789');
    assert.equal(config.klaviyo.baseUrl, 'http://127.0.0.1:8080');
    assert.equal(config.databaseUrl, 'postgresql://me:secret@db.example/consent');
    assert.equal(config.logLevel, 'debug');
    assert.equal(config.temporal.variables['TEMPORAL_ADDRESS'], 'temporal.example:7233');
    assert.equal(config.temporal.cliPath, '/opt/temporal');
    assert.deepEqual(config.searchPath, ['/a', '/b']);
  });

  const wrong: [variable: string, value: string, remedy: RegExp][] = [
    ['KLAVIYO_API_KEY', 'pk_01 23', /copy the private API key again/],
    ['KLAVIYO_API_KEY', 'AbC123', /public API key.*create a private API key/],
    ['KLAVIYO_BASE_URL', 'a.klaviyo.com', /https:\/\/a\.klaviyo\.com/],
    ['KLAVIYO_BASE_URL', 'ftp://a.klaviyo.com', /http or https/],
    ['DATABASE_URL', 'mysql://root:hunter2@db.example/x', /postgres:\/\/user:password@host/],
    ['DATABASE_URL', 'hunter2', /leave it out to use the built-in database/],
    ['TEMPORAL_TLS', 'maybe', /must be true or false/],
    ['TEMPORAL_TLS', 'TRUE', /must be true or false/],
    ['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION', 'yes', /must be true or false/],
    ['LOG_LEVEL', 'loud', /one of trace, debug, info, warn, error, silent/],
  ];
  for (const [variable, value, remedy] of wrong) {
    it(`names ${variable} and the remedy, but not the value, for ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => loadConfig({ [variable]: value }),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.ok(error.message.startsWith(`${variable} `), error.message);
          assert.match(error.message, remedy);
          if (variable !== 'KLAVIYO_BASE_URL') assert.ok(!error.message.includes(value));
          return true;
        },
      );
    });
  }

  it('names every wrong variable at once', () => {
    assert.throws(
      () => loadConfig({ DATABASE_URL: 'x', LOG_LEVEL: 'y' }),
      /^ConfigError: DATABASE_URL .*\nLOG_LEVEL /,
    );
  });

  it('gives programs that it starts neither the key nor the Temporal settings', () => {
    const given = { KLAVIYO_API_KEY: 'pk_1', TEMPORAL_NAMESPACE: 'prod', GOFLAGS: '-v' };
    assert.deepEqual(childEnvironment({ GOBIN: '/bin' }, given), { GOFLAGS: '-v', GOBIN: '/bin' });
  });
});
