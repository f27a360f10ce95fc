import { methodOf } from "./labels.ts";
import type { Summary } from "./summarize.ts";

/** How a method looks wherever it is drawn. */
export interface Series {
  /** Class of the page's style sheet that sets --series to its color: s0 … s5. */
  readonly className: string;
  /** Position of its color in the palettes. */
  readonly color: number;
  /** Of its points, so that color is never the only difference. */
  readonly shape: Shape;
  /** Of its lines: lengths drawn and left out, in pixels; none for a solid line. */
  readonly dash: readonly number[];
}

type Shape = (typeof shapes)[number];

/**
 * Colors of series, told apart by readers with any color vision (after Okabe and Ito 2008), darker on a light page and
 * lighter on a dark one; the first is a gray for what learns nothing.
 */
export const palettes = {
  light: ["#7b818b", "#0072b2", "#d55e00", "#00866a", "#b0508a", "#9a7400"],
  dark: ["#a3a9b3", "#56b4e9", "#ff9445", "#2fc69f", "#e08bbd", "#f0c542"],
} as const;

/**
 * Colors of classes, for charts in which color is not for methods: as many as can be told apart, with shapes to tell them
 * by, too.
 */
export const classPalettes = {
  light: [
    "#0072b2",
    "#d55e00",
    "#00866a",
    "#b0508a",
    "#9a7400",
    "#5b4fc4",
    "#c1272d",
    "#0090a8",
    "#6b4a2f",
    "#6a8a1f",
  ],
  dark: [
    "#56b4e9",
    "#ff9445",
    "#2fc69f",
    "#e08bbd",
    "#f0c542",
    "#a99bff",
    "#ff6b6b",
    "#5fd8ea",
    "#c9a07a",
    "#b5d34f",
  ],
} as const;

const shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"] as const;
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [1, 4]] as const;

/** Declarations of --s0 … --s5 for a style sheet. */
export function seriesVariables(theme: keyof typeof palettes): string {
  return palettes[theme].map((color, i) => `--s${i}: ${color};`).join(" ");
}

/** From a method, as `methodOf` names it, to how it looks. */
export type Look = (method: string) => Series;

/** What of a summary decides how its method looks. */
type Measured = Pick<Summary, "objective" | "plugins" | "steps">;

/**
 * The looks of all methods of a report, in the order of the summaries, then those without one. Gray is for the first method that learns nothing; all others take the five
 * colors in turn, and where these start again, the next shape and dash: 30 methods look different from each other.
 */
export function seriesOf(summaries: readonly Measured[], unmeasured: readonly string[] = []): Look {
  const measured = [...new Set(summaries.map(methodOf))];
  const methods = [...new Set([...measured, ...unmeasured])];
  const baseline = measured.find((method) =>
    summaries.every((one) => methodOf(one) !== method || one.steps === 0),
  );
  const others = methods.filter((method) => method !== baseline);
  return (method) => {
    const place = others.indexOf(method);
    return method === baseline || place < 0 ? look(0, 0) : look(1 + (place % 5), Math.floor(place / 5));
  };
}

/** How a class looks, by its label: color of `classPalettes`, --c0 … --c9 of the page, and shape. */
export function classLook(label: number): { readonly color: string; readonly shape: Shape } {
  const colors = classPalettes.light.length;
  const round = Math.floor(label / colors);
  return { color: `var(--c${label % colors})`, shape: shapes[(label + round) % shapes.length]! };
}

/** How the values of an option look, in their order: for charts in which color is not for methods. */
export function levelLook(place: number): Series {
  return look(1 + (place % 5), Math.floor(place / 5));
}

function look(color: number, round: number): Series {
  return {
    className: `s${color}`,
    color,
    shape: shapes[(color + round) % shapes.length]!,
    dash: dashes[round % dashes.length]!,
  };
}

/** A method's name as part of a class: letters, digits and hyphens. */
export function methodSlug(method: string): string {
  return method
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
