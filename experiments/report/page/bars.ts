import { type Html, html } from "../html.ts";
import type { Spread } from "../statistics.ts";

/** A bar of a fraction of `full`, with a whisker of one standard deviation to each side. */
export function spreadBar({ mean, std }: Spread, full: number): Html {
  const share = (value: number): string => `${(100 * Math.min(1, Math.max(0, value / full))).toFixed(2)}%`;
  if (!Number.isFinite(mean)) return html`<div class="bar-track"></div>`;
  const low = Math.max(0, mean - std);
  const whisker = Number.isFinite(std)
    ? html`<u style="left: ${share(low)}; width: ${share(Math.min(full, mean + std) - low)}"></u>`
    : "";
  return html`<div class="bar-track"><i style="width: ${share(mean)}"></i>${whisker}</div>`;
}
