import type { Look } from "../palette.ts";
import { type Html, html } from "../html.ts";
import { pluralOf } from "../labels.ts";
import { groups } from "../summarize.ts";
import type { Grid, PageData } from "./pageData.ts";
import { about, keyOf, scrolling, section } from "./parts.ts";

/** Beyond this many rows class names are too small to read beside them. */
const NAMED_ROWS = 24;
/** Width of a grid and bounds for the edge of its images, in CSS pixels: four grids lie side by side on a wide page. */
const CARD = 236;
const TILE = { least: 22, most: 48 };

/** For each data set and number of images, the real images beside those of every method, rows aligned. */
export function imageSection({ grids }: PageData, seriesOf: Look): Html {
  if (grids.length === 0) return html``;
  const strips = [...groups(grids, ["dataset", "imbalance", "imagesPerClass"]).values()].map((strip) =>
    stripOf(strip, seriesOf),
  );
  return section(
    "images",
    "The images",
    "One row for each class, real images first. All else on this page comes from networks trained on such images alone.",
    html`${strips}`,
  );
}

function stripOf(strip: readonly Grid[], seriesOf: Look): Html {
  const { dataset, imbalance, imagesPerClass } = strip[0]!;
  const tail = imbalance > 1 ? `, long-tailed at ${imbalance}:1` : "";
  const title = `${dataset}${tail}, ${pluralOf(imagesPerClass, "image")} per class`;
  const rows = strip[0]!.picture.rows;
  const ratios = strip.map(({ picture }) => (picture.width / picture.height) * picture.rows);
  const tile = Math.min(TILE.most, Math.max(TILE.least, CARD / Math.max(...ratios)));
  const height = Math.round(tile * rows);
  return html`<div ${about({ dataset })} class="strip-box">
    <h3>${title}</h3>
    ${scrolling(
      `Images of ${title}`,
      html`${rows <= NAMED_ROWS ? classList(strip, height) : ""}
      ${strip.map((grid) => card(grid, { height, seriesOf, title }))}`,
      "strip",
    )}
  </div>`;
}

function classList(strip: readonly Grid[], height: number): Html {
  const named = strip.find(({ classNames }) => classNames.length > 0);
  if (!named) return html``;
  const names = named.classNames.slice(0, named.picture.rows);
  return html`<ol class="class-names" style="height: ${height}px">
    ${names.map((name) => html`<li>${name}</li>`)}
  </ol>`;
}

interface CardContext {
  readonly height: number;
  readonly seriesOf: Look;
  readonly title: string;
}

function card(grid: Grid, { height, seriesOf, title }: CardContext): Html {
  const { method, caption, picture, classNames } = grid;
  const key = method === undefined ? "" : keyOf(seriesOf(method));
  const shown =
    picture.rows < classNames.length ? `, the first ${picture.rows} of ${classNames.length} classes` : "";
  const width = Math.round((height * picture.width) / picture.height);
  return html`<figure ${about(method === undefined ? {} : { method })}>
    <img
      alt="${method ?? "Real images"} of ${title}: one row for each class${shown}"
      src="${picture.url}"
      width="${width}"
      height="${height}"
      decoding="async"
    />
    <figcaption><b>${key}${method ?? "real images"}</b> <small>${caption}${shown}</small></figcaption>
  </figure>`;
}
