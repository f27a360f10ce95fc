import type { Row } from "../results.ts";
import { classBar, type Curve, lineChart, percent, percentSpread, spreadBar } from "./charts.ts";
import { type Html, html, trusted } from "./html.ts";
import { labelAmong, methodOf, pluralOf, settingOf, significanceNote } from "./labels.ts";
import { seriesOf } from "./palette.ts";
import { settings, type Summary, summarize } from "./summarize.ts";
import { style } from "./style.ts";

/** A set of images to show, and how it came about. */
export interface Figure {
  /** The method as `methodOf` names it, so that it gets its color; or any other title. */
  readonly name: string;
  readonly caption?: string;
  /** Of the rows of the grid, in order. */
  readonly classNames?: readonly string[];
  /** A grid with one row for each class, as `imageGrid` draws it. */
  readonly gridPng: Buffer;
  /** Loss by step; none for what was not learned. */
  readonly lossCurve?: Curve;
}

/** All that a report shows. */
export interface ReportInput {
  readonly title: string;
  /** One or two sentences under the title. */
  readonly lead: string;
  readonly rows: readonly Row[];
  /** Class names in label order, by data set. */
  readonly classNames: Readonly<Record<string, readonly string[]>>;
  /** Real images first, then a set for each method. */
  readonly figures: readonly Figure[];
  /** Engine, machine, versions, time: name and value. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Resolved configs: file name and text. */
  readonly configs: readonly (readonly [name: string, text: string])[];
}

/** Beyond this many classes the bars of single classes are folded away. */
const CLASSES_SHOWN = 20;

/** The report as one HTML page that needs no other file and no network. */
export function renderReport(input: ReportInput): string {
  const summaries = summarize(input.rows);
  const methods = new Set(summaries.map(methodOf));
  const look = seriesOf(summaries);
  const series = (method: string): string => (methods.has(method) ? look(method).className : "");
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${input.title}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <main>
          <h1>${input.title}</h1>
          <p class="lead">${input.lead}</p>
          ${settings(summaries).map((rivals) => accuracySection(rivals, series))}
          ${figureSection(input, series)}
          ${settings(summaries).map((rivals) => classSection(rivals, input.classNames, series))}
          ${factSection(input)}
          <footer><small>${significanceNote}</small></footer>
        </main>
      </body>
    </html> `.html;
}

type Series = (method: string) => string;

function accuracySection(rivals: readonly Summary[], series: Series): Html {
  const { title, detail } = settingOf(rivals[0]!);
  return html`<section>
    <h2>${title}</h2>
    <p class="soft">${detail}</p>
    ${accuracyTable(rivals, series)}
  </section>`;
}

function accuracyTable(rivals: readonly Summary[], series: Series): Html {
  const tops = rivals.map(({ accuracy: { mean, std } }) => mean + (std || 0)).filter(Number.isFinite);
  const full = Math.min(1, Math.ceil(10 * Math.max(0.1, ...tops)) / 10);
  const groups = rivals[0]!.imbalance > 1 ? (["head", "medium", "tail"] as const) : [];
  const columns = ["Accuracy, %", ...groups, "Networks", "Distill, s", "Train, s"];
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Method (bars: 0 to ${percent(full, 0)}%)</th>
          ${columns.map(number("th"))}
        </tr>
      </thead>
      <tbody>
        ${rivals.map((one) => {
          const cells = [
            accuracyCell(one),
            ...groups.map((group) => percent(one[`${group}Accuracy`].mean)),
            repetitions(one),
            seconds(one.distillSeconds.mean),
            seconds(one.evaluationSeconds.mean),
          ];
          const name = html`<span class="key"></span
            >${labelAmong(rivals, one)}${spreadBar(one.accuracy, full)}`;
          return html`<tr>
            <td class="name ${series(methodOf(one))}">${name}</td>
            ${cells.map(number("td"))}
          </tr> `;
        })}
      </tbody>
    </table>
  </div>`;
}

/** Cell of a column of numbers. */
const number =
  (tag: "th" | "td") =>
  (content: string | Html): Html =>
    tag === "th" ? html`<th class="number">${content}</th>` : html`<td class="number">${content}</td>`;

function accuracyCell({ accuracy, best }: Summary): string | Html {
  const text = percentSpread(accuracy);
  return best ? html`<b>${text}</b> <span class="mark">★</span>` : text;
}

function repetitions({ accuracy, seedAccuracy, failures }: Summary): string {
  const sets = seedAccuracy.count > 1 ? ` (${seedAccuracy.count} seeds)` : "";
  return `${accuracy.count}${sets}${failures > 0 ? `, ${failures} failed` : ""}`;
}

function seconds(value: number): string {
  if (!Number.isFinite(value) || value === 0) return "–";
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function classSection(
  rivals: readonly Summary[],
  classNames: ReportInput["classNames"],
  series: Series,
): Html {
  const classes = rivals[0]!.classAccuracies.length;
  if (classes === 0) return html``;
  const names = classNames[rivals[0]!.dataset];
  const legend = rivals.map(
    (one) =>
      html`<span class="${series(methodOf(one))}"><span class="key"></span>${labelAmong(rivals, one)}</span>`,
  );
  const bars = Array.from({ length: classes }, (_, label) => {
    const ofClass = rivals.map((one) =>
      classBar(one.classAccuracies[label]?.mean ?? NaN, series(methodOf(one))),
    );
    return html`<div class="class">
      <span>${names?.[label] ?? `class ${label}`}</span>
      <div>${ofClass}</div>
    </div>`;
  });
  const chart = html`<div class="legend">${legend}</div>
    <div class="classes">${bars}</div>`;
  return html`<section>
    <h2>Accuracy by class, %</h2>
    <p class="soft">${settingOf(rivals[0]!).title}</p>
    ${
      classes > CLASSES_SHOWN
        ? html`<details>
            <summary>${classes} classes</summary>
            ${chart}
          </details>`
        : chart
    }
  </section>`;
}

function figureSection({ figures }: ReportInput, series: Series): Html {
  if (figures.length === 0) return html``;
  const labels = (names: readonly string[] = []): Html | string =>
    names.length > 0 && names.length <= CLASSES_SHOWN
      ? html`<ol>
          ${names.map((name) => html`<li>${name}</li>`)}
        </ol>`
      : "";
  return html`<section>
    <h2>The images</h2>
    <p class="soft">One row for each class. Every method's networks were trained on its images alone.</p>
    <div class="cards">
      ${figures.map(
        ({ name, caption, classNames, gridPng, lossCurve }) =>
          html`<figure>
            <h3>${series(name) === "" ? "" : html`<span class="key ${series(name)}"></span>`}${name}</h3>
            ${caption === undefined ? "" : html`<small>${caption}</small>`}
            <div class="grid">
              ${labels(classNames)}<img
                alt="${name}: one row of images for each class"
                src="data:image/png;base64,${gridPng.toString("base64")}"
              />
            </div>
            ${lossCurve === undefined ? "" : lineChart(lossCurve, series(name) || "s1")}
          </figure>`,
      )}
    </div>
  </section>`;
}

function factSection({ facts, configs, rows }: ReportInput): Html {
  const shown = [...facts, ["Rows", pluralOf(rows.length, "trained network")] as const];
  return html`<section>
    <h2>Settings</h2>
    <dl>
      ${shown.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    ${configs.map(
      ([name, text]) =>
        html`<details>
          <summary>${name}</summary>
          <pre>${text}</pre>
        </details>`,
    )}
  </section>`;
}
