import { type Html, html, trusted } from "./html.ts";
import type { Spread } from "./statistics.ts";

/** Points of a line, x ascending. */
export type Curve = readonly (readonly [x: number, y: number])[];

/** Most points of a drawn curve; longer ones show the extremes of every stretch, so that no spike is lost. */
const POINTS = 400;
/** A curve of positive values is drawn on a logarithmic scale where the largest is this many times the smallest. */
const LOG_RATIO = 20;

/** Percent from a fraction; a dash where there is no number. */
export function percent(fraction: number, decimals = 1): string {
  return Number.isFinite(fraction) ? (100 * fraction).toFixed(decimals) : "–";
}

/** "62.3 ± 0.4" in percent; the mean alone where there is one value only. */
export function percentSpread({ mean, std }: Spread): string {
  return Number.isFinite(std) ? `${percent(mean)} ± ${percent(std)}` : percent(mean);
}

/** A bar of a fraction of `full`, with a whisker of one standard deviation to each side. */
export function spreadBar({ mean, std }: Spread, full: number): Html {
  const share = (value: number): string => `${(100 * Math.min(1, Math.max(0, value / full))).toFixed(2)}%`;
  if (!Number.isFinite(mean)) return html`<div class="bar"></div>`;
  const low = Math.max(0, mean - std);
  const whisker = Number.isFinite(std)
    ? html`<u style="left: ${share(low)}; width: ${share(Math.min(full, mean + std) - low)}"></u>`
    : "";
  return html`<div class="bar"><i style="width: ${share(mean)}"></i>${whisker}</div>`;
}

/** A thin bar of a fraction, with its percent behind it. */
export function classBar(fraction: number, series: string): Html {
  return html`<div class="bar ${series}">
    <i style="width: ${percent(fraction)}%"></i><em>${percent(fraction)}</em>
  </div>`;
}

/** A line chart that stretches with the page; the labels are text, so that they stay readable on a phone. */
export function lineChart(curve: Curve, series: string): Html {
  const finite = curve.filter(([, y]) => Number.isFinite(y));
  if (finite.length < 2) return html``;
  const ys = finite.map(([, y]) => y);
  const low = ys.reduce((a, b) => Math.min(a, b));
  const high = ys.reduce((a, b) => Math.max(a, b));
  const logarithmic = low > 0 && high / low > LOG_RATIO;
  const scale = logarithmic ? Math.log : (y: number): number => y;
  const [first, last] = [finite[0]![0], finite.at(-1)![0]];
  const x = (step: number): number => (100 * (step - first)) / Math.max(1, last - first);
  const y = (value: number): number => {
    const height = scale(high) - scale(low);
    return height > 0 ? 97 - (94 * (scale(value) - scale(low))) / height : 50;
  };
  const path = thinned(finite)
    .map(([step, value]) => `${x(step).toFixed(2)} ${y(value).toFixed(2)}`)
    .join("L");
  return html`<div class="curve ${series}">
    <div class="y">
      <span>${short(high)}</span><span>loss${logarithmic ? trusted("<br>(log)") : ""}</span
      ><span>${short(low)}</span>
    </div>
    <svg
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      role="img"
      aria-label="Loss from ${short(ys[0]!)} to ${short(ys.at(-1)!)}"
    >
      <path d="M${path}" />
    </svg>
    <div class="x"><span>step ${first}</span><span>${last}</span></div>
  </div>`;
}

/** The smallest and largest value of every stretch of a curve, in order. */
function thinned(curve: Curve): Curve {
  if (curve.length <= POINTS) return curve;
  const stretch = Math.ceil((2 * curve.length) / POINTS);
  const kept = Array.from({ length: Math.ceil(curve.length / stretch) }, (_, i) => {
    const piece = curve.slice(i * stretch, (i + 1) * stretch);
    const lowest = piece.reduce((a, b) => (b[1] < a[1] ? b : a));
    const highest = piece.reduce((a, b) => (b[1] > a[1] ? b : a));
    return lowest === highest ? [lowest] : lowest[0] < highest[0] ? [lowest, highest] : [highest, lowest];
  });
  return kept.flat();
}

/** Three significant digits. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
