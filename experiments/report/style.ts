import { seriesVariables } from "./palette.ts";

/**
 * Style sheet of the report: one column on a phone, light or dark as the reader's system is. Series have the
 * colors s0 … s5 of the palettes.
 */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1f2328; --soft: #656d76; --line: #e3e1dc; --track: #f0eeea;
  ${seriesVariables("light")}
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1c1f25; --ink: #e8e6e3; --soft: #9aa2ad; --line: #30353d; --track: #282c33;
    ${seriesVariables("dark")}
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 8px; }
h2 { font-size: 1.25rem; letter-spacing: -0.01em; margin: 48px 0 4px; }
h3 { font-size: 1rem; margin: 0 0 2px; }
p { margin: 0 0 12px; } p.lead { color: var(--soft); max-width: 44rem; }
small, .soft { color: var(--soft); font-size: 0.85rem; }
td.number, th.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; }
th { font-weight: 500; font-size: 0.8rem; color: var(--soft); text-align: left; }
th, td { padding: 10px 12px 10px 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
td.name { width: 46%; font-weight: 500; } td.name .bar { margin-top: 6px; }
.mark { color: var(--s2); font-weight: 700; }
.key { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; background: var(--series); margin-right: 0.5em; }
.s0 { --series: var(--s0); } .s1 { --series: var(--s1); } .s2 { --series: var(--s2); }
.s3 { --series: var(--s3); } .s4 { --series: var(--s4); } .s5 { --series: var(--s5); }
.bar { position: relative; height: 10px; background: var(--track); border-radius: 3px; }
.bar i { position: absolute; inset: 0 auto 0 0; background: var(--series); border-radius: 3px; }
.bar u { position: absolute; top: 4px; height: 2px; background: var(--ink); opacity: 0.75; }
.classes { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px 40px; margin: 16px 0; }
.class { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0 12px; align-items: center; }
.class > span { font-size: 0.9rem; overflow: hidden; text-overflow: ellipsis; }
.class .bar { height: 9px; margin: 3px 38px 3px 0; }
.class .bar em { position: absolute; left: 100%; top: 0; padding-left: 8px; color: var(--soft);
  font-style: normal; font-size: 0.7rem; line-height: 9px; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 0.9rem; margin-top: 8px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 20px; margin: 16px 0;
  align-items: start; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; }
.grid { display: flex; gap: 8px; margin-top: 10px; }
.grid ol { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; flex: none; }
.grid li { flex: 1; display: flex; align-items: center; justify-content: flex-end; min-height: 0;
  color: var(--soft); font-size: 0.7rem; line-height: 1; max-width: 5.2rem; text-align: right; }
.grid img { flex: 0 1 auto; min-width: 0; height: auto; align-self: flex-start; }
.curve { display: grid; grid-template-columns: auto 1fr; gap: 4px 8px; margin-top: 12px; font-size: 0.75rem;
  color: var(--soft); font-variant-numeric: tabular-nums; }
.curve .y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; line-height: 1; }
.curve .x { grid-column: 2; display: flex; justify-content: space-between; line-height: 1.2; }
.curve svg { width: 100%; height: 120px; display: block; border-left: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.curve path { fill: none; stroke: var(--series); stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
dl { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: 6px 20px; margin: 12px 0; font-size: 0.9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); } details { margin: 12px 0; }
pre { overflow-x: auto; padding: 14px; background: var(--track); border-radius: 8px; font: 0.8rem/1.5 ui-monospace, monospace; }
footer { margin-top: 48px; padding-top: 16px; border-top: 1px solid var(--line); }
@media (max-width: 600px) {
  main { padding: 24px 16px 48px; } h1 { font-size: 1.5rem; } figure { padding: 12px; }
  th, td { padding-right: 10px; } td.name { min-width: 150px; }
}
@media print { figure { break-inside: avoid; } }
`;
