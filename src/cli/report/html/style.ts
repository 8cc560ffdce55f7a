import { Markup } from './markup.js';

/** Colours by outcome as custom properties, `--confirmed` and so on; light and dark by preference. */
export const STYLE = new Markup(`
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #fff; --text: #1d2126; --quiet: #59616b; --line: #dfe2e6;
  --unconfirmed: #b4520a; --pending_double_opt_in: #d9a21b; --confirmed: #23854b;
  --already_consented: #2aa198; --list_only: #3b74c9; --skipped_opted_out: #7d6bb5;
  --rejected: #c0392b; --cancelled: #8b929b; --open: #c9ced4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1c2025; --text: #e6e9ec; --quiet: #a3abb4; --line: #343a41;
    --unconfirmed: #e5853a; --pending_double_opt_in: #e8bd4d; --confirmed: #46b476;
    --already_consented: #4fc3ba; --list_only: #6b9fe8; --skipped_opted_out: #a594dd;
    --rejected: #e8685a; --cancelled: #828a93; --open: #4a525b;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
p { margin: .25rem 0; }
.quiet { color: var(--quiet); }
.notice { background: var(--card); border: 1px solid var(--line); border-left: 4px solid
  var(--pending_double_opt_in); border-radius: 4px; padding: .6rem .9rem; margin: .6rem 0; }
.notice.stop { border-left-color: var(--rejected); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.75rem, 1fr)); gap: .6rem;
  list-style: none; margin: 1rem 0; padding: 0; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: .6rem .8rem; border-top: 3px solid var(--of, var(--line)); }
.tiles b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .4rem .8rem; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .8rem; color: var(--quiet); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 400; white-space: nowrap; width: 1%; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td > .label, li > .label { white-space: nowrap; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .45em;
  background: var(--of); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: .5rem 0;
  padding: 0; font-size: .9rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: .9rem; }
figure > .plot { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
svg .rule { stroke: var(--line); }
svg rect { fill: var(--of); }
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--quiet); }
details > .scroll { margin-top: .5rem; }
@media print { body { max-width: none; padding: 0; } details > summary { display: none; } }
`);
