import { type Html, html } from "../html.ts";
import { type Look, methodSlug, type Series } from "../palette.ts";

/** Shapes of keys in a box from −10 to 10: those of the charts' points. */
const shapes: Readonly<Record<Series["shape"], string>> = {
  circle: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0",
  square: "M-6.5-6.5h13v13h-13z",
  "triangle-up": "M0-8L8.5 6.5h-17z",
  diamond: "M0-9L7.5 0L0 9L-7.5 0z",
  "triangle-down": "M0 8L8.5-6.5h-17z",
  cross: "M-2.7-8h5.4v5.3H8v5.4H2.7V8h-5.4V2.7H-8v-5.4h5.3z",
};

/** A method's color and shape, as a legend has them. */
export function keyOf(series: Series): Html {
  return html`<svg class="key ${series.className}" viewBox="-10 -10 20 20" aria-hidden="true">
    <path d="${shapes[series.shape]}" />
  </svg>`;
}

/** A method's color and shape with its name, or with a label such as "dm, steps=500", whose options come in small. */
export function methodLabel(method: string, seriesOf: Look, label: string = method): Html {
  const [name, ...options] = label.split(", ");
  return html`<span class="method"
    >${keyOf(seriesOf(method))}${name!}${options.length === 0 ? "" : html` <small>${options.join(", ")}</small>`}</span
  >`;
}

/** Attributes by which the filters know what an element is about. */
export function about({ method, dataset }: { readonly method?: string; readonly dataset?: string }): Html {
  const ofMethod = method === undefined ? "" : html` data-method="${methodSlug(method)}"`;
  const ofData = dataset === undefined ? "" : html` data-dataset="${dataset}"`;
  return html`${ofMethod}${ofData}`;
}

/** A box that scrolls sideways by touch, mouse and keyboard, so that the page does not. */
export function scrolling(label: string, content: Html, className = "scroll"): Html {
  return html`<div class="${className}" role="region" tabindex="0" aria-label="${label}">${content}</div>`;
}

/** Content folded away under a line of text. */
export function folded(
  summary: string | Html,
  content: Html,
  options: { readonly open?: boolean; readonly id: string },
): Html {
  return html`<details id="${options.id}" ${options.open === true ? "open" : ""}>
    <summary>${summary}</summary>
    ${content}
  </details>`;
}

/** A section of the page with its heading and, under it, what it shows. */
export function section(id: string, heading: string, lead: string | Html, content: Html): Html {
  return html`<section id="${id}" aria-labelledby="${id}-heading">
    <h2 id="${id}-heading">${heading}</h2>
    ${lead === "" ? "" : html`<p class="soft">${lead}</p>`} ${content}
  </section>`;
}

/** "4 min", "2.3 h": a time as short as it can be told. */
export function timeText(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds <= 0) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Where a table ends a row's key: a part of an id or a name that needs no escape. */
export function idOf(...parts: readonly (string | number)[]): string {
  return methodSlug(parts.join("-"));
}
