import { type Html, html, trusted } from "../html.ts";
import { continualMethods } from "../continual.ts";
import { methodOf } from "../labels.ts";
import { type Look, seriesOf } from "../palette.ts";
import { accuracySection } from "./accuracy.ts";
import { scripts, style } from "./assets.ts";
import { bar } from "./bar.ts";
import { chartSection, chartsIn } from "./figures.ts";
import { continualSection } from "./continual.ts";
import { imageSection } from "./images.ts";
import { originSection } from "./origins.ts";
import { overview } from "./overview.ts";
import type { DrawnChart, PageData } from "./pageData.ts";
import { pairedSection } from "./paired.ts";
import { rankingSection } from "./ranking.ts";
import { failureSection, progressSection } from "./runs.ts";

export interface PageOptions {
  /**
   * The page follows its address: every few seconds it asks `version` there for JSON whose `version` changes with the
   * page, and takes over what is new when it does. A `notice` in it is shown.
   */
  readonly live?: boolean;
}

/** The report as one HTML page that needs no other file and no network. */
export function renderPage(
  data: PageData,
  charts: readonly DrawnChart[] = [],
  { live = false }: PageOptions = {},
): string {
  const methods = [
    ...new Set([...data.summaries.map(methodOf), ...data.unfinished.map(({ method }) => method)]),
  ];
  const datasets = [...new Set([...data.summaries, ...data.unfinished].map(({ dataset }) => dataset))];
  const content = sectionsOf(data, charts);
  const sections = content.filter((one) => one.section.html !== "");
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy(live)}" />
        <meta name="color-scheme" content="light dark" />
        <title>Distilled sets, side by side</title>
        ${trusted(`<style>${style}</style><script>${scripts.theme}</script>`)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the results</a>
        ${bar({
          methods,
          datasets,
          sections: sections.filter(({ heading }) => heading !== "").map(({ id, heading }) => [id, heading]),
          seriesOf: looksOf(data),
          live,
        })}
        <main id="content">${sections.map(({ section }) => section)}</main>
        <dialog class="zoomed" aria-label="Enlarged images">
          <form method="dialog"><span></span><button class="chip">Close</button></form>
          <div class="scroll" role="region" tabindex="0" aria-label="Enlarged images"></div>
        </dialog>
        ${live ? moduleOf(scripts.live) : ""} ${moduleOf(scripts.client)}
      </body>
    </html> `.html;
}

function moduleOf(script: string): Html {
  return trusted(`<script type="module">${script}</script>`);
}

/** The page loads nothing; a live one talks to where it came from. */
function policy(live: boolean): string {
  const inline = "'unsafe-inline'";
  return (
    `default-src 'none'; img-src data:; style-src ${inline}; script-src ${inline}; ` +
    `connect-src ${live ? "'self'" : "'none'"}; base-uri 'none'; form-action 'none'`
  );
}

/** As the charts have them; then come methods that have only begun. */
function looksOf({ summaries, continual = [], runs, unfinished }: PageData): Look {
  return seriesOf(
    [...summaries, ...continualMethods(continual)],
    [...runs, ...unfinished].map(({ method }) => method),
  );
}

interface PageSection {
  readonly id: string;
  /** In the navigation; empty for a section that is not in it. */
  readonly heading: string;
  readonly section: Html;
}

function sectionsOf(data: PageData, charts: readonly DrawnChart[]): PageSection[] {
  const series = looksOf(data);
  return [
    { id: "summary", heading: "", section: overview(data) },
    { id: "progress", heading: "Under way", section: progressSection(data, series) },
    {
      id: "accuracy",
      heading: "Accuracy",
      section: accuracySection(data, series, chartsIn("accuracy", charts)),
    },
    { id: "ranking", heading: "Ranking", section: rankingSection(data, series) },
    {
      id: "paired",
      heading: "Paired",
      section: pairedSection(data, series, chartsIn("paired", charts)),
    },
    { id: "images", heading: "Images", section: imageSection(data, series) },
    { id: "classes", heading: "Classes", section: chartSection("classes", charts) },
    { id: "options", heading: "Options", section: chartSection("options", charts) },
    { id: "architectures", heading: "Architectures", section: chartSection("architectures", charts) },
    {
      id: "continual",
      heading: "Continual",
      section: continualSection(data, series, chartsIn("continual", charts)),
    },
    { id: "sampling", heading: "Sampling", section: chartSection("sampling", charts) },
    { id: "training", heading: "Training", section: chartSection("training", charts) },
    { id: "features", heading: "Features", section: chartSection("features", charts) },
    { id: "maps", heading: "Maps", section: chartSection("maps", charts) },
    { id: "spectra", heading: "Spectra", section: chartSection("spectra", charts) },
    { id: "cost", heading: "Cost", section: chartSection("cost", charts) },
    { id: "failures", heading: "Failed", section: failureSection(data, series) },
    { id: "origins", heading: "Origins", section: originSection(data) },
  ];
}
