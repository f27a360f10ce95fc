import { parse, textMetrics, View } from "vega";
import { compile } from "vega-lite";
import { classPalettes, methodSlug, palettes } from "../palette.ts";
import { type Chart, WIDTH } from "./chart.ts";
import { escaped, legendSvg } from "./legend.ts";
import { textWidth } from "./textWidth.ts";

/** For a page that has the colors as variables, or for a file that stands alone. */
export type Use = "page" | "print";

declare module "vega" {
  /** In the package, not in its types: where users put a measure of their own. */
  const textMetrics: { width: (item: { readonly fontSize?: number }, text: unknown) => number };
}

// Without a canvas, vega takes every letter as 0.8 em, and leaves as much empty space beside every axis.
textMetrics.width = ({ fontSize = 11 }, text) => Math.ceil(textWidth(String(text), fontSize));

/** Colors of figures on paper. */
const printed: Readonly<Record<string, string>> = {
  ink: "#1f2328",
  soft: "#57606a",
  line: "#dcdad5",
  card: "#ffffff",
  ...Object.fromEntries(palettes.light.map((color, i) => [`s${i}`, color])),
  ...Object.fromEntries(classPalettes.light.map((color, i) => [`c${i}`, color])),
};
/** The family whose file PNG pictures are drawn with, then what is likely to be there. */
const PRINT_FONT = "'Source Sans 3', 'Helvetica Neue', Arial, sans-serif";

/**
 * A chart as SVG, the same bytes for the same chart. All that is drawn of a method is in groups of the class
 * series-METHODSLUG; ids begin with the chart's.
 */
export async function chartSvg(chart: Chart, use: Use): Promise<string> {
  const [, height, content] = /^<svg[^>]* height="([\d.]+)"[^>]*>(.*)<\/svg>$/s.exec(await plotOf(chart))!;
  const legend = legendSvg(chart);
  const total = Number(height) + legend.height;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="${WIDTH}" height="${total}" ` +
    `viewBox="0 0 ${WIDTH} ${total}" role="img" aria-label="${escaped(chart.alt)}">` +
    (use === "print" ? `<rect width="100%" height="100%" fill="var(--card)"/>` : "") +
    `${legend.svg}<g transform="translate(0,${legend.height})">${named(chart, cleaned(content!))}</g></svg>`;
  return use === "page" ? svg : concrete(svg);
}

/** Plots by chart: page, file and picture are drawn from one. */
const plots = new WeakMap<Chart, Promise<string>>();

async function plotOf(chart: Chart): Promise<string> {
  const known = plots.get(chart);
  if (known) return known;
  const view = new View(parse(compile(chart.spec, { logger: silent }).spec), { renderer: "none" });
  const plot = view.toSVG().finally(() => view.finalize());
  plots.set(chart, plot);
  return plot;
}

/** Vega-lite's advice is for whoever writes specs; the tests hear it. */
const silent = {
  level: () => silent,
  error: () => silent,
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
} as never;

/**
 * Without what draws nothing, with coordinates to a hundredth of a pixel. What a mark says of itself is shown where the
 * mouse rests on it; for a screen reader, the picture's own label speaks for all of them.
 */
function cleaned(svg: string): string {
  return svg
    .replace(/<path class="(foreground|background)"[^>]*\/>/g, "")
    .replace(/<path aria-label="([^"]*)"([^>]*)\/>/g, "<path$2><title>$1</title></path>")
    .replace(/ (?:aria-[a-z]+|role|pointer-events)="[^"]*"/g, "")
    .replace(/ (?:d|transform|x2|y2)="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{3,}(e-\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))),
    );
}

/** Ids of the chart's own, in their order, and the classes of its methods. */
function named({ id, methods }: Chart, svg: string): string {
  const ids = [...new Set([...svg.matchAll(/\bid="([^"]+)"/g)].map((match) => match[1]!))];
  const own = (name: string): string => `${id}-${ids.indexOf(name)}`;
  return svg
    .replace(/\bid="([^"]+)"/g, (_, name: string) => `id="${own(name)}"`)
    .replace(/url\(#([^)]+)\)/g, (_, name: string) => `url(#${own(name)})`)
    .replace(/\bseries_(\d+)_\w*?_marks\b/g, (_, at: string) => `series-${methodSlug(methods[Number(at)]!)}`);
}

function concrete(svg: string): string {
  return svg
    .replace(/var\(--(\w+)\)/g, (_, name: string) => printed[name]!)
    .replace(/font-family="[^"]*"/g, `font-family="${PRINT_FONT}"`);
}
