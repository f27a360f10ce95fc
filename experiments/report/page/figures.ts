import { type Html, html, trusted } from "../html.ts";
import { pluralOf } from "../labels.ts";
import { methodSlug } from "../palette.ts";
import type { DrawnChart } from "./pageData.ts";
import { about, folded, section } from "./parts.ts";

type ChartSection = DrawnChart["section"];

/** Headings of the sections that hold charts alone, in the order of the page. */
const sections = {
  classes: ["Classes", "Accuracy on classes with many, some and few training images, and on each class."],
  options: ["Options", "Accuracy against what was varied, all else equal."],
  architectures: ["Architectures", "Sets distilled with one network, judged by another."],
  sampling: [
    "Sampling",
    "How hard images are for networks trained on real ones: those to choose from, and those that were chosen.",
  ],
  training: ["Training", "What was logged at every step."],
  features: [
    "Features",
    "How far images are from held-out real ones in the feature space of random networks, beside as many real ones.",
  ],
  maps: [
    "Maps of features",
    "Real and synthetic images in two dimensions, near each other where a network sees them alike, and what it sees in numbers.",
  ],
  spectra: ["Power spectra", "How much of the images is coarse, and how much is fine, beside real images."],
  cost: ["Cost", "What accuracy takes."],
} as const satisfies Partial<Record<ChartSection, readonly [heading: string, lead: string]>>;

/** A section of charts, where there are any. */
export function chartSection(id: keyof typeof sections, charts: readonly DrawnChart[]): Html {
  const drawn = chartsIn(id, charts);
  const [heading, lead] = sections[id];
  return drawn.html === "" ? html`` : section(id, heading, lead, drawn);
}

/** Charts of a section that are shown at once; more are folded away. */
const SHOWN = 6;

/** The charts of a section, as cards. */
export function chartsIn(id: ChartSection, charts: readonly DrawnChart[]): Html {
  const own = charts.filter((chart) => chart.section === id);
  const shown = own.filter(({ detail }) => detail !== true).slice(0, SHOWN);
  const rest = own.filter((chart) => !shown.includes(chart)).map(chartCard);
  if (own.length === 0) return html``;
  return html`<div class="charts">${shown.map(chartCard)}</div>
    ${
      rest.length === 0
        ? ""
        : folded(pluralOf(rest.length, "more chart"), html`<div class="charts">${rest}</div>`, {
            id: `more-${id}`,
          })
    }`;
}

function chartCard({ id, title, caption, dataset, methods, svg }: DrawnChart): Html {
  return html`<figure
    class="card chart"
    id="chart-${id}"
    data-methods="${methods.map(methodSlug).join(" ")}"
    ${about({ dataset })}
  >
    <figcaption>
      <h3>${title}</h3>
      ${caption === undefined ? "" : html`<p class="soft">${caption}</p>`}
    </figcaption>
    <div class="plot">${trusted(svg)}</div>
  </figure>`;
}
