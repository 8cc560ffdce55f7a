import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reportPage } from '../../../src/cli/report/html/page.js';
import type { ReportDetails } from '../../../src/starter/migrations/report.js';
import { report, reportedPart } from '../../support/reports.js';

const WRITTEN = new Date('2026-01-03T00:00:00Z');

function details(change: Partial<ReportDetails> = {}): ReportDetails {
  return {
    report: report(),
    timeline: {
      bucketMs: 60_000,
      buckets: [
        { at: new Date('2026-01-02T03:00:00Z'), outcomes: { rejected: 40_000 } },
        { at: new Date('2026-01-02T03:20:00Z'), outcomes: { confirmed: 900_000 } },
        { at: new Date('2026-01-02T03:39:00Z'), outcomes: { pending_double_opt_in: 60_000 } },
      ],
    },
    problems: [],
    watch: null,
    ...change,
  };
}

/** The words of a page, without tags and without the blanks of its layout. */
function words(page: string): string {
  return page
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
}

describe('the page of a report', () => {
  it('says how many rows ended how, why, and what it cost', () => {
    const text = words(reportPage(details(), WRITTEN));
    for (const expected of [
      'Migration 20260102-1a2b3c4d: done',
      '1,000,000 all rows',
      '900,000 confirmed 90.0 %',
      'email rejected email_invalid 40,000',
      'get_profiles 429 3 20 ms',
      '9,603 reads of people: 10.7 per 1,000 confirmed rows.',
      'list XyZ987',
      'share of the account’s limits 50.0 %',
    ]) {
      assert.ok(text.includes(expected), `${expected} is not in: ${text}`);
    }
  });

  it('needs nothing from elsewhere, and no script', () => {
    const page = reportPage(
      details({ problems: [reportedPart({ outcome: 'rejected' })] }),
      WRITTEN,
    );
    assert.doesNotMatch(page, /<script|<link|<img|<iframe|\ssrc=|\shref=|url\(|@import|https?:/i);
    assert.match(page, /Content-Security-Policy"\s+content="default-src 'none'/);
  });

  it('draws three rows among a million so that they are seen', () => {
    const at = new Date('2026-01-02T03:00:00Z');
    const outcomes = { rejected: 3, confirmed: 1_000_000 };
    const page = reportPage(
      details({ timeline: { bucketMs: 60_000, buckets: [{ at, outcomes }] } }),
      WRITTEN,
    );
    const heights = [...page.matchAll(/<rect[^>]* height="([\d.]+)"/g)].map(([, height]) => height);
    assert.equal(heights[0], '2.00');
    assert.ok(Number(heights[1]) > 100);
  });

  it('shows whatever stands in the source as text', () => {
    const evil = `<script>alert(1)</script>"'&`;
    const base = report();
    const page = reportPage(
      details({
        report: report({
          source: { name: evil, sha256: 'ab12', preset: evil },
          failure: evil,
          warnings: [evil],
          accountId: evil,
          settings: { ...base.settings, customSource: evil, listId: evil },
          calls: [{ endpoint: evil, status: evil, calls: 1, durationMs: 1 }],
        }),
        problems: [reportedPart({ email: evil, outcome: 'rejected' })],
      }),
      WRITTEN,
    );
    assert.ok(!page.includes(evil));
    assert.ok(!page.includes('<script'));
    const escaped = '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;';
    assert.equal(page.split(escaped).length - 1, 11);
  });

  it('draws outcomes over time, with a title, a description and the numbers as a table', () => {
    const page = reportPage(details(), WRITTEN);
    assert.match(page, /role="img"\s+aria-labelledby="timeline-title timeline-desc"/);
    assert.match(page, /<title id="timeline-title">Outcomes over time<\/title>/);
    assert.match(
      words(page),
      /Stacked bars of 1 min 00 s each: 1,000,000 settled channels of rows/,
    );
    // The heights have the proportions of the counts: nothing is lost in rounding up the axis.
    const heights = [...page.matchAll(/<rect\s[^>]*height="([\d.]+)"/g)].map(([, h]) => Number(h));
    assert.equal(heights.length, 3);
    const [rejected = 0, confirmed = 0, pending = 0] = heights;
    assert.ok(Math.abs(confirmed / rejected - 22.5) < 0.05, heights.join(' '));
    assert.ok(Math.abs(confirmed / pending - 15) < 0.05, heights.join(' '));
    assert.match(words(page), /2026-01-02 03:20:00 0 900,000 0/);
  });

  it('says until when the people who have not clicked are followed', () => {
    const watch = {
      migrationId: 'm',
      pending: null,
      confirmed: 2,
      looks: 0,
      until: '2026-01-09T03:40:00.000Z',
    };
    assert.match(
      words(reportPage(details({ watch }), WRITTEN)),
      /60,000 rows wait for a click .* followed until 2026-01-09 03:40:00 UTC, and 2 rows were confirmed/,
    );
    assert.match(words(reportPage(details(), WRITTEN)), /nobody follows them at the moment/);
  });

  it('lists the first refused and unconfirmed rows and says how many there are', () => {
    const page = reportPage(
      details({
        problems: [
          reportedPart({ line: 7, outcome: 'rejected', reason: 'email_invalid', email: 'not one' }),
        ],
      }),
      WRITTEN,
    );
    assert.match(words(page), /The first 1 of 40,000; report --csv has them all/);
    assert.match(words(page), /7 not one email rejected email_invalid/);
  });

  it('is a page for a run that has not begun, too', () => {
    const page = reportPage(
      details({
        report: report({
          rows: 3,
          open: 3,
          outcomes: {},
          parts: [],
          calls: [],
          phase: 'preflight',
        }),
        timeline: { bucketMs: 1_000, buckets: [] },
      }),
      WRITTEN,
    );
    assert.match(words(page), /3 rows have no outcome yet/);
    assert.match(words(page), /Nothing is settled yet/);
    assert.match(words(page), /No calls to Klaviyo yet/);
  });
});
