import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { check, InputError, nearest } from "../../src/core/errors.ts";
import { datasets } from "../../src/datasets/index.ts";
import { initializations } from "../../src/distillers/initialize.ts";
import { methods } from "../../src/objectives/index.ts";
import { type Experiment, parseYaml, resolveExperiment } from "../config.ts";
import type { Published } from "../published.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "configs", "published");

const overrides = z
  .record(z.string(), z.json())
  .nullable()
  .transform((values) => values ?? {});

/** A file of configs/published/: how the published numbers of a method were made. docs/reproducing.md has its form. */
const protocolSchema = z.strictObject({
  /** A config without data set and images per class: those are the cell's. */
  experiment: z.record(z.string(), z.json()),
  /** What makes it small enough for minutes, by path. */
  quick: overrides.default({}),
  /** The cells it reproduces, and what each changes in the experiment, by path; `like` names one whose changes come first. */
  cells: z.record(z.string(), overrides),
});

/** One published cell and the experiment that makes it again. */
export interface Cell {
  readonly name: string;
  /** All numbers published for it, one of each source. */
  readonly published: readonly Published[];
  /** The file that says how. */
  readonly file: string;
  readonly config: Record<string, unknown>;
  /** Overrides, "a.b=value". */
  readonly own: readonly string[];
  readonly quick: readonly string[];
}

/** What `readCells` reads from; elsewhere for tests. */
export interface CellSources {
  readonly published: readonly Published[];
  readonly configs?: string;
}

/**
 * All cells that a config in configs/published/ makes again, by name.
 *
 * @throws InputError naming the file, for one that is malformed, for a cell without a published accuracy, and for one that
 *   two files claim.
 */
export function readCells({ published, configs = folder }: CellSources): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  const files = existsSync(configs) ? readdirSync(configs).filter((file) => /\.ya?ml$/.test(file)) : [];
  for (const file of files.sort().map((name) => join(configs, name))) {
    const parsed = protocolSchema.safeParse(parseYaml(file));
    if (!parsed.success) throw new InputError(`${file}: ${z.prettifyError(parsed.error)}`);
    const { experiment, quick, cells: claimed } = parsed.data;
    for (const name of Object.keys(claimed)) {
      const own = changesOf(claimed, name, file);
      const numbers = published.filter(({ cell, metric }) => cell === name && metric === "accuracy");
      check(numbers.length > 0, () => `${file}: cells: ${unknownCell(name, accuracies(published))}`);
      const other = cells.get(name);
      check(other === undefined, () => `${file}: cells: ${name} is already a cell of ${other!.file}`);
      const { dataset, imbalance, imagesPerClass } = numbers[0]!;
      check(
        imagesPerClass !== undefined,
        () => `${file}: cells: ${name}: its images per class are not known`,
      );
      const config = { ...experiment, data: { name: dataset, imbalance }, imagesPerClass };
      const lines = { own: overrideLines(own), quick: overrideLines(quick) };
      cells.set(name, { name, published: numbers, file, config, ...lines });
    }
  }
  return cells;
}

type Overrides = z.output<typeof overrides>;

/** What a cell changes, after what the cell changes that it is like. */
function changesOf(cells: Readonly<Record<string, Overrides>>, name: string, file: string): Overrides {
  const { like, ...own } = cells[name]!;
  if (like === undefined) return own;
  const model = typeof like === "string" ? cells[like] : undefined;
  check(
    model !== undefined && !("like" in model),
    () =>
      `${file}: cells: ${name}.like: expected another cell of this file that is like none, ` +
      `got ${JSON.stringify(like)}`,
  );
  return { ...model, ...own };
}

const overrideLines = (values: Readonly<Record<string, unknown>>): string[] =>
  // JSON is YAML, which is how an override's value is read.
  Object.entries(values).map(([path, value]) => `${path}=${JSON.stringify(value)}`);

/** Options that change where and how often a cell is measured, and not what. */
const harmless = ["data.root", "engine", "checkpointEvery", "seeds", "evaluation.networks", "tracking"];

/** Whether an override sets one of these, or an option within. */
const isHarmless = (override: string): boolean =>
  harmless.some((path) => override.startsWith(`${path}=`) || override.startsWith(`${path}.`));

/** What `--quick` changes in every cell, before what its file says. */
const quickOverrides = (cell: Cell): string[] => [
  `imagesPerClass=${Math.min(cell.published[0]!.imagesPerClass!, QUICK_IMAGES)}`,
  "seeds=[0]",
  "evaluation.protocol=quick",
  "evaluation.networks=2",
];

/** Enough to see images and a training; 50 of each of a hundred classes would take an hour. */
const QUICK_IMAGES = 10;

/**
 * The experiment of a cell. Cells that differ in the evaluation network alone share their runs, and so their name; those of
 * `--quick` have one of their own.
 *
 * @throws InputError for overrides that would make it another experiment, unless it is quick.
 */
export function experimentOf(cell: Cell, given: readonly string[], quick: boolean): Experiment {
  const name = cell.name.replace(/-on-.*$/, "");
  if (quick) {
    const reduced = [...cell.own, ...quickOverrides(cell), ...cell.quick, ...given];
    return resolveExperiment(`${name}-quick`, cell.config, reduced, cell.file);
  }
  const foreign = given.filter((text) => !isHarmless(text));
  check(
    foreign.length === 0,
    () =>
      `reproduce ${cell.name}: expected overrides of ${harmless.join(", ")}, got ${foreign.join(" ")}; ` +
      "anything else is another experiment: save this one with --config, change it, and distil that",
  );
  return resolveExperiment(name, cell.config, [...cell.own, ...given], cell.file);
}

/** The cell called `name`. @throws InputError with the nearest names, or with what it waits for. */
export function cellOf(
  name: string,
  cells: ReadonlyMap<string, Cell>,
  published: readonly Published[],
): Cell {
  const cell = cells.get(name);
  if (cell) return cell;
  const number = published.find((one) => one.cell === name);
  throw new InputError(
    `reproduce: ${
      number === undefined ? unknownCell(name, accuracies(published)) : `${name} ${obstacle(number)}`
    }; distillery reproduce --list shows all cells`,
  );
}

/** Why a published number cannot be made again here. */
export function obstacle({ metric, method, dataset, imagesPerClass }: Published): string {
  if (metric !== "accuracy") return `is no accuracy but ${metric}`;
  if (method === "whole" || method === "expert") return "is of the whole data set: nothing is distilled";
  if (imagesPerClass === undefined) return "does not say how many images per class it has";
  const waits = [
    ...(method in methods || method in initializations ? [] : [`the method ${method}`]),
    ...(dataset in datasets ? [] : [`the data set ${dataset}`]),
  ];
  return `waits for ${waits.length > 0 ? waits.join(" and ") : "a config in configs/published/"}`;
}

const accuracies = (published: readonly Published[]): string[] => [
  ...new Set(published.filter(({ metric }) => metric === "accuracy").map(({ cell }) => cell)),
];

function unknownCell(name: string, known: readonly string[]): string {
  const parts = name.toLowerCase().split("-");
  const holding = known.filter((cell) => parts.every((part) => cell.toLowerCase().split("-").includes(part)));
  const near: string[] = [];
  while (near.length < SUGGESTIONS) {
    const next = nearest(
      name,
      known.filter((cell) => !near.includes(cell)),
    );
    if (next === undefined) break;
    near.push(next);
  }
  const suggested = [...new Set([...holding, ...near])].slice(0, SUGGESTIONS);
  const hint = suggested.length > 0 ? `; did you mean ${suggested.join(", ")}?` : "";
  return `expected a cell of results/published.csv, got ${JSON.stringify(name)}${hint}`;
}

const SUGGESTIONS = 4;
