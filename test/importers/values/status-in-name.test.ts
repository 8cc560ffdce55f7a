import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusInName } from '../../../src/importers/values/status-in-name.js';

describe('the name of a file', () => {
  const names: readonly (readonly [string, string | null])[] = [
    ['/data/cleaned_members_export_1a2b.csv', 'cleaned'],
    ['unsubscribed_segment_export_8f.csv', 'unsubscribed'],
    ['UNSUBS 2024.csv', 'unsubs'],
    ['Un-subscribed.csv', 'un subscribed'],
    ['non-subscribed.csv.gz', 'non subscribed'],
    ['never subscribed.csv', 'never subscribed'],
    ['postscript opt-outs.csv', 'opt outs'],
    ['OptedOut.csv', 'optedout'],
    ['people-undeliverable.csv', 'undeliverable'],
    ['hard_bounces.csv', 'bounces'],
    ['spam complaints.csv', 'complaints'],
    ['blocklisted.csv', 'blocklisted'],
    ['suppression-list.csv', 'suppression'],
    ['Awaiting confirmation, pending.csv', 'pending'],
    ['subscribed_members_export_1a2b.csv', null],
    ['subscribers-2024.csv', null],
    ['/unsubscribed/subscribed.csv', null],
    ['customers_export.csv', null],
    ['leftovers.csv', null],
    ['list.csv', null],
  ];
  for (const [name, word] of names) {
    it(`${word === null ? 'says nothing of who left' : `says "${word}"`}: ${name}`, () => {
      assert.equal(statusInName(name), word);
    });
  }
});
