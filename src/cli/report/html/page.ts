import type { ReportDetails } from '../../../starter/migrations/report.js';
import { phaseWords } from '../../render/progress.js';
import { duration } from '../../render/quantities.js';
import { clock, timelineChart } from './chart.js';
import { html } from './markup.js';
import {
  callsTable,
  notices,
  outcomeTiles,
  partsTable,
  problemsTable,
  settingsTable,
} from './sections.js';
import { STYLE } from './style.js';

/**
 * The report as one self-contained page: no script, and no font or picture from elsewhere, which
 * its content security policy forbids too. It has counts and the first problems only, so it is as
 * small for a million rows as for ten.
 */
export function reportPage(details: ReportDetails, writtenAt: Date): string {
  const { report, timeline, problems, watch } = details;
  const { times } = report;
  const allProblems = report.parts
    .filter(({ outcome }) => outcome === 'rejected' || outcome === 'unconfirmed')
    .reduce((sum, { parts }) => sum + parts, 0);
  const took = times.finishedAt === null ? 'running for' : 'took';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <title>Consentry ${report.id}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <header>
          <h1>Migration ${report.id}: ${phaseWords(report)}</h1>
          <p class="quiet">
            ${report.source.name}, started ${clock(new Date(times.createdAt))} UTC, ${took}
            ${duration(times.durationMs)}. Page written ${clock(writtenAt)} UTC.
          </p>
        </header>
        <main>
          ${notices(report, watch)} ${outcomeTiles(report)}
          <h2>Outcomes over time</h2>
          ${timelineChart(timeline)}
          <h2>Channels, outcomes and reasons</h2>
          ${partsTable(report)}
          <h2>Refused and unconfirmed rows</h2>
          ${problemsTable(problems, allProblems)}
          <h2>Calls to Klaviyo</h2>
          ${callsTable(report)}
          <h2>Settings</h2>
          ${settingsTable(report)}
        </main>
      </body>
    </html> `.text;
}
