import { type Html, html, trusted } from "../html.ts";
import { methodSlug } from "../palette.ts";
import type { DrawnChart } from "./pageData.ts";
import { about, scrolling, section } from "./parts.ts";

type ChartSection = DrawnChart["section"];

/** Headings of the sections that hold charts alone, in the order of the page. */
const sections = {
  classes: ["Classes", "Accuracy on classes with many, some and few training images, and on each class."],
  options: ["Options", "Accuracy against what was varied, all else equal."],
  architectures: ["Architectures", "Sets distilled with one network, judged by another."],
  training: ["Training", "What was logged at every step."],
  spectra: ["Power spectra", "How much of the images is coarse, and how much is fine, beside real images."],
  cost: ["Cost", "What accuracy takes."],
} as const satisfies Partial<Record<ChartSection, readonly [heading: string, lead: string]>>;

/** A section of charts, where there are any. */
export function chartSection(id: keyof typeof sections, charts: readonly DrawnChart[]): Html {
  const drawn = chartsIn(id, charts);
  const [heading, lead] = sections[id];
  return drawn.html === "" ? html`` : section(id, heading, lead, drawn);
}

/** The charts of a section, as cards. */
export function chartsIn(id: ChartSection, charts: readonly DrawnChart[]): Html {
  const own = charts.filter((chart) => chart.section === id);
  return own.length === 0 ? html`` : html`<div class="charts">${own.map(chartCard)}</div>`;
}

function chartCard({ id, title, caption, alt, dataset, methods, svg }: DrawnChart): Html {
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
    ${scrolling(title, html`<div role="img" aria-label="${alt}">${trusted(svg)}</div>`, "plot")}
  </figure>`;
}
