import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MigrationProgress } from '../../../src/workflows/migration/migration-progress.js';

test('a warning that comes again and again for a year is there once', () => {
  const progress = new MigrationProgress('warned', {
    onChange: () => undefined,
    onPhase: () => undefined,
  });
  for (let turn = 0; turn < 1_000; turn += 1) {
    progress.warn('Klaviyo refuses to show the list');
    progress.warn('Klaviyo refuses to show events');
  }
  assert.deepEqual(progress.now().warnings, [
    'Klaviyo refuses to show the list',
    'Klaviyo refuses to show events',
  ]);
});
