import { readFileSync } from "node:fs";
import { classPalettes, palettes } from "../palette.ts";

const file = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

const series = palettes.light.map((light, i) => ({ name: `s${i}`, light, dark: palettes.dark[i]! }));
const ofClasses = classPalettes.light.map((light, i) => ({
  name: `c${i}`,
  light,
  dark: classPalettes.dark[i]!,
}));
const variables = [...series, ...ofClasses].map(
  ({ name, light, dark }) => `--${name}: light-dark(${light}, ${dark});`,
);
const classes = series.map(({ name }) => `.${name} { --series: var(--${name}); }`);

/** Style sheet of the page. */
export const style = `:root { ${variables.join(" ")} }\n${classes.join("\n")}\n${file("page.css")}`;

/** Scripts of the page: before it is drawn, on every page, on one that follows its results. */
export const scripts = {
  theme: file("theme.mjs"),
  client: file("client.mjs"),
  live: file("live.mjs"),
} as const;
