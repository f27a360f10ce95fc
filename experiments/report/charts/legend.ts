import { methodSlug } from "../palette.ts";
import { type Chart, type LegendEntry, WIDTH } from "./chart.ts";
import { shortened } from "./shortened.ts";
import { textWidth } from "./textWidth.ts";

const FONT_SIZE = 12;
const ROW = 20;
/** From the left of an entry to its text. */
const INDENT = 30;
const GAP = 16;

/** The legend as SVG and its height; entries wrap where the width ends. */
export function legendSvg({ legend, methods }: Chart): { readonly svg: string; readonly height: number } {
  if (legend.length === 0) return { svg: "", height: 0 };
  let [x, row] = [0, 0];
  const parts = legend.map((entry) => {
    const label = shortened(entry.label, WIDTH - INDENT, FONT_SIZE);
    const width = INDENT + textWidth(label, FONT_SIZE) + GAP;
    if (x > 0 && x + width - GAP > WIDTH) [x, row] = [0, row + 1];
    const at = `translate(${(x + 2).toFixed(1)},${row * ROW + ROW / 2})`;
    x += width;
    const name = entry.method === undefined ? "" : ` class="series-${methodSlug(methods[entry.method]!)}"`;
    return `<g${name} transform="${at}">${symbolSvg(entry)}<text x="${INDENT - 2}" y="4" font-size="${FONT_SIZE}" font-family="inherit" fill="var(--ink)">${escaped(label)}</text>${label === entry.label ? "" : `<title>${escaped(entry.label)}</title>`}</g>`;
  });
  return { svg: `<g class="legend">${parts.join("")}</g>`, height: (row + 1) * ROW + 4 };
}

function symbolSvg({ color, mark, look }: LegendEntry): string {
  const dash = look.dash.length > 0 ? ` stroke-dasharray="${look.dash.join(",")}"` : "";
  const line = `<path d="M0 0H22" stroke="${color}" stroke-width="2" fill="none"${dash}/>`;
  const point = `<path d="${shapes[look.shape]}" transform="translate(11,0)" fill="${color}"/>`;
  if (mark === "line") return line;
  if (mark === "lineAndPoint") return line + point;
  return mark === "point" ? point : `<path d="M5 -6h12v12h-12z" fill="${color}"/>`;
}

/** Paths of about the same area around 0, after vega's symbols of these names. */
const shapes: Readonly<Record<LegendEntry["look"]["shape"], string>> = {
  circle: "M4.5 0A4.5 4.5 0 1 1 -4.5 0A4.5 4.5 0 1 1 4.5 0Z",
  square: "M-4 -4H4V4H-4Z",
  "triangle-up": "M0 -4.7L5.3 4.5H-5.3Z",
  "triangle-down": "M0 4.7L-5.3 -4.5H5.3Z",
  diamond: "M0 -5.6L5.6 0L0 5.6L-5.6 0Z",
  cross: "M-1.7 -5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",
};

/** Text as XML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
