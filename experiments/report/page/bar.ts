import { type Html, html } from "../html.ts";
import { type Look, methodSlug } from "../palette.ts";
import { keyOf } from "./parts.ts";

/** What the bar offers. */
export interface BarInput {
  readonly methods: readonly string[];
  readonly datasets: readonly string[];
  /** Sections of the page: id and heading. */
  readonly sections: readonly (readonly [id: string, heading: string])[];
  readonly seriesOf: Look;
  /** Whether the page follows the results as they change. */
  readonly live: boolean;
}

/** The bar that stays on top: sections, filters, theme. Filters and theme show only where scripts run. */
export function bar({ methods, datasets, sections, seriesOf, live }: BarInput): Html {
  const ofMethod = methods.map((method) =>
    chip({ name: "method", value: methodSlug(method), label: method, key: keyOf(seriesOf(method)) }),
  );
  const ofDataset = datasets.map((dataset) =>
    chip({ name: "dataset", value: dataset, label: dataset, key: html`` }),
  );
  return html`<header class="bar">
    <div class="bar-line">
      <nav aria-label="Sections" tabindex="0">
        <a class="brand" href="#summary">Distillery</a>
        ${sections.map(([id, heading]) => html`<a href="#${id}">${heading}</a>`)}
      </nav>
      ${live ? html`<span class="live" role="status"><i></i><span>live</span></span>` : ""}
      <fieldset class="theme scripted">
        <legend class="unseen">Theme</legend>
        ${themes.map(([value, path]) => themeChoice(value, path))}
      </fieldset>
    </div>
    <form class="filters scripted" aria-label="Show">
      ${methods.length > 1 ? group("Methods", ofMethod) : ""}
      ${datasets.length > 1 ? group("Data sets", ofDataset) : ""}
      <button type="reset" class="chip reset" hidden>show all</button>
    </form>
  </header>`;
}

function group(name: string, chips: readonly Html[]): Html {
  return html`<fieldset>
    <legend class="unseen">${name}</legend>
    ${chips}
  </fieldset>`;
}

interface Chip {
  readonly name: string;
  readonly value: string;
  readonly label: string;
  readonly key: Html;
}

function chip({ name, value, label, key }: Chip): Html {
  return html`<label class="chip"
    ><input type="checkbox" name="${name}" value="${value}" checked autocomplete="off" />${key}${label}</label
  >`;
}

/** Themes and their icons: half a disk for the system's, a sun, a moon. */
const themes = [
  ["system", "M12 4a8 8 0 1 0 0 16zm0 0a8 8 0 0 1 0 16"],
  [
    "light",
    "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  ],
  ["dark", "M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z"],
] as const;

function themeChoice(value: string, path: string): Html {
  return html`<label title="${value} theme"
    ><input
      type="radio"
      name="theme"
      value="${value}"
      aria-label="${value} theme"
      ${value === "system" ? "checked" : ""}
      autocomplete="off" /><svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}" /></svg
  ></label>`;
}
