import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import type { Chart } from "./chart.ts";
import { chartSvg } from "./render.ts";

/** Pixels of the picture for one of the chart: 340 become 1020, enough for a column of a paper. */
const ZOOM = 3;
const FAMILY = "Source Sans 3";

/**
 * A chart as a PNG picture, the same pixels on every machine: drawn by resvg with letters of its own. Fonts of the system
 * have no part in it; where there are none, other programs leave all text out.
 */
export async function chartPng(chart: Chart): Promise<Buffer> {
  const svg = await chartSvg(chart, "print");
  const fontBuffers = await ready();
  const drawing = new Resvg(svg, {
    fitTo: { mode: "zoom", value: ZOOM },
    font: { fontBuffers, defaultFontFamily: FAMILY, sansSerifFamily: FAMILY },
  });
  const picture = drawing.render();
  const png = Buffer.from(picture.asPng());
  picture.free();
  drawing.free();
  return png;
}

let started: Promise<Uint8Array[]> | undefined;

/** Starts resvg once, and reads the font files. */
function ready(): Promise<Uint8Array[]> {
  const { resolve } = createRequire(import.meta.url);
  const font = (weight: string): Uint8Array =>
    readFileSync(resolve(`@expo-google-fonts/source-sans-3/${weight}/SourceSans3_${weight}.ttf`));
  started ??= initWasm(readFileSync(resolve("@resvg/resvg-wasm/index_bg.wasm"))).then(() =>
    ["400Regular", "500Medium"].map(font),
  );
  return started;
}
