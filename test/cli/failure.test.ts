import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '@temporalio/client';
import { UsageError } from '../../src/cli/ended.js';
import { exitCodesHelp, EXIT } from '../../src/cli/exit-codes.js';
import { exitCodeOfStop, failureOf } from '../../src/cli/failure.js';
import { SourceError } from '../../src/importers/index.js';
import { LedgerUnavailableError, MigrationNotFoundError } from '../../src/ledger/index.js';
import { ConfigError } from '../../src/runtime/config.js';
import { NoEnvironmentError } from '../../src/runtime/local/dev-state.js';
import { DatabaseHeldError } from '../../src/runtime/local/postgres/recovery.js';
import { TemporalUnreachableError } from '../../src/starter/connect.js';
import { MigrationStoppedError } from '../../src/starter/stopped.js';
import { NoWorkerError } from '../../src/starter/worker-check.js';
import { SettingsError } from '../../src/starter/migrations/request/settings-error.js';

function grpcError(code: number): Error {
  return Object.assign(new Error(`gRPC status ${code}`), { code, details: '', metadata: {} });
}

describe('exit code', () => {
  for (const [error, code] of [
    [new SourceError('file_empty', { file: 'a.csv' }, 'It is empty.', 'Give another.'), EXIT.usage],
    [new SettingsError('--undated'), EXIT.usage],
    [new ConfigError('DATABASE_URL'), EXIT.usage],
    [new UsageError('a flag'), EXIT.usage],
    [new MigrationNotFoundError('x'), EXIT.usage],
    [new MigrationStoppedError('it has ended', 'AlreadyEnded'), EXIT.usage],
    [new MigrationStoppedError('no such key', 'KlaviyoKeyRefused'), EXIT.refused],
    [new MigrationStoppedError('no scope', 'KlaviyoScopeMissing'), EXIT.refused],
    [new MigrationStoppedError('no list', 'ListNotFound'), EXIT.refused],
    [new MigrationStoppedError('no SMS', 'SmsNotConfigured'), EXIT.refused],
    [new MigrationStoppedError('double', 'OptInProcessUnexpected'), EXIT.refused],
    [new MigrationStoppedError('refused', 'KlaviyoRequestRefused'), EXIT.stopped],
    [new NoWorkerError('no worker'), EXIT.unreachable],
    [new NoEnvironmentError('nothing runs'), EXIT.unreachable],
    [new LedgerUnavailableError('no database'), EXIT.unreachable],
    [new DatabaseHeldError('in use'), EXIT.unreachable],
    [new TemporalUnreachableError('no Temporal'), EXIT.unreachable],
  ] as const) {
    it(`is ${code} for ${error.name}: ${error.message}, which is said as it is`, () => {
      const key = 'failureType' in error ? error.failureType : 'code' in error ? error.code : null;
      const message = key === null ? error.message : `${error.message} [${key}]`;
      assert.deepEqual(failureOf(error), { exitCode: code, message });
    });
  }

  for (const error of [
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('terminating connection'), { code: '57P01' }),
    new ServiceError('Failed to query', { cause: grpcError(14) }),
    grpcError(4),
  ]) {
    it(`is 6 for a connection that is lost: ${error.message}`, () => {
      const { exitCode, message } = failureOf(error);
      assert.equal(exitCode, EXIT.unreachable);
      assert.ok(message.startsWith(error.message));
      assert.match(message, /A started migration goes on/);
    });
  }

  it('is 1 for what the server refuses otherwise', () => {
    assert.equal(failureOf(grpcError(3)).exitCode, EXIT.unexpected);
  });

  it('is 1 for what nobody expected, with how to find it', () => {
    const { exitCode, message } = failureOf(new TypeError('x is undefined'));
    assert.equal(exitCode, EXIT.unexpected);
    assert.match(message, /^TypeError: x is undefined\n.*LOG_LEVEL=debug/);
    assert.doesNotMatch(message, /\n\s+at /);
  });

  it('is 4 for any other stop', () => assert.equal(exitCodeOfStop('Unknown'), EXIT.stopped));

  it('is explained in one table', () => {
    const help = exitCodesHelp();
    for (const code of Object.values(EXIT)) assert.match(help, new RegExp(`^  ${code} `, 'm'));
  });
});
