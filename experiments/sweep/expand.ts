import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { check, InputError } from "../../src/core/errors.ts";
import { parsed } from "../../src/core/parse.ts";
import { configFile } from "../configFile.ts";
import { type Experiment, parseOverride, parseYaml, resolveExperiment, withOption } from "../config.ts";
import { leavesOf } from "../leaves.ts";
import { type SlurmOptions, slurmSchema } from "../slurm/options.ts";
import {
  assignments,
  type Axis,
  axesOf,
  type Choice,
  chosenFrom,
  excludeSchema,
  exclusion,
  gridSchema,
  type Labels,
  product,
} from "./grid.ts";

/** Many experiments that differ in a few options. */
export interface Sweep {
  /** The file's name without extension: names the results folder. */
  readonly name: string;
  readonly axes: readonly string[];
  readonly cells: readonly Cell[];
  /** What its jobs ask Slurm for. */
  readonly slurm: SlurmOptions;
}

/** One experiment of a sweep, at all of the sweep's seeds. */
export interface Cell {
  readonly experiment: Experiment;
  /** What it is on each axis. */
  readonly labels: Labels;
}

/** Seeds as a range with both ends, "0..4", as a list, or a single one. */
const seedsSchema = z.preprocess(
  (value) => {
    if (typeof value === "number") return [value];
    const [, first, last] = (typeof value === "string" && /^(\d+)\.\.(\d+)$/.exec(value)) || [];
    if (first === undefined || Number(last) < Number(first)) return value;
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  },
  z.array(z.int().min(0), "expected seeds, as in 0..4 or [0, 2]").min(1),
);

const sweepSchema = z.strictObject({
  base: z.string().optional(),
  config: z.record(z.string(), z.unknown()).default({}),
  grid: gridSchema,
  exclude: excludeSchema.default([]),
  seeds: seedsSchema.optional(),
  slurm: slurmSchema.prefault({}),
});

/** @throws InputError for a sweep file where one config is asked for, with the command that takes sweeps. */
export function checkNoSweep(name: string): void {
  const content = parseYaml(configFile(name));
  check(
    typeof content !== "object" || content === null || !("grid" in content),
    () =>
      `${name}: expected a config, got a sweep; distillery sweep ${name} --phase prepare makes what its runs share`,
  );
}

/**
 * The cells of a sweep file, each checked as a config is. Options are set in the order base, config, overrides, then the
 * axes of the grid as they stand.
 *
 * @param overrides `a.b=value` for every cell. With the name of an axis, the values it has instead: of a labelled one
 *   those cases, as in `method=[dm, csdm]`. `seeds=0..4` sets the seeds.
 * @throws InputError for a file that is missing or wrong, for a cell whose config is, and for two cells that come to the
 *   same name or the same config.
 */
export function readSweep(name: string, overrides: readonly string[] = []): Sweep {
  const path = configFile(name);
  const file = parsed(path, sweepSchema, parseYaml(path));
  const base = file.base === undefined ? {} : parseYaml(resolve(dirname(path), file.base));
  const own = assignments(file.config).reduce((config, [at, value]) => withOption(config, at, value), base);
  const axesOfFile = axesOf(file.grid, path);
  const isExcluded = exclusion(axesOfFile, file.exclude, path);
  const given: Given = { axes: axesOfFile, seeds: file.seeds, config: own };
  const { axes, seeds, config } = overrides.reduce(overridden, given);
  const choices = product(axes).filter((cell) => !isExcluded(cell));
  check(choices.length > 0, () => `${path}: expected cells to be left by \`exclude\`, got none`);
  const names = namesOf(axes, choices);
  const cells = choices.map((cell, i) => ({
    experiment: experimentOf(
      cell,
      names[i]!,
      seeds === undefined ? config : { ...(config as object), seeds },
      path,
    ),
    labels: Object.fromEntries(axes.map(({ name }, place) => [name, cell[place]!.label])),
  }));
  checkDistinct(cells, path);
  return {
    name: basename(path).replace(/\.ya?ml$/, ""),
    axes: axes.map(({ name }) => name),
    cells,
    slurm: file.slurm,
  };
}

/** A sweep before it is expanded. */
interface Given {
  readonly axes: readonly Axis[];
  readonly seeds: readonly number[] | undefined;
  readonly config: unknown;
}

function overridden(given: Given, override: string): Given {
  const [path, value] = parseOverride(override);
  const where = `override ${path}`;
  if (path === "seeds") return { ...given, seeds: parsed(where, seedsSchema, value) };
  const axis = given.axes.find(({ name }) => name === path);
  if (axis) {
    const instead = axis.labelled
      ? { ...axis, choices: chosenFrom(axis, value, where) }
      : axesOf({ [path]: Array.isArray(value) ? value : [value] }, where)[0]!;
    return { ...given, axes: given.axes.map((one) => (one === axis ? instead : one)) };
  }
  const everywhere = given.axes.find(({ choices }) =>
    choices.every(({ options }) => options.some(([set]) => path === set || path.startsWith(`${set}.`))),
  );
  check(
    everywhere === undefined,
    () =>
      `${where}: expected an option that the grid leaves open, but every case of ${everywhere!.name} sets it; ` +
      "change it in the file",
  );
  return { ...given, config: withOption(given.config, path, value) };
}

function experimentOf(cell: readonly Choice[], name: string, config: unknown, path: string): Experiment {
  const options = cell.flatMap((choice) => choice.options);
  const whole = options.reduce((tree, [at, value]) => withOption(tree, at, value), config);
  const where = `${path}, cell ${name}`;
  try {
    return resolveExperiment(name, whole, [], where);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const paths = cell.flatMap(({ options: [only, ...more] }) =>
      more.length === 0 && only ? [only[0]] : [],
    );
    const lacking = paths.find((at) => error.message.includes(` ${at}: unknown option; expected`));
    if (lacking === undefined) throw error;
    throw new InputError(
      `${error.message}. If only some cells have ${lacking}, leave the others out with \`exclude\`, or set it in labelled cases`,
    );
  }
}

/**
 * Names of cells by what they are on each axis, as in "csdm_imbalance-50": of a case its label; of an option's value the
 * end of the option's path, as long as needed to tell it from other axes, and the value.
 */
function namesOf(axes: readonly Axis[], cells: readonly (readonly Choice[])[]): string[] {
  // `objective.kernel.name` says which kernel.
  const pathOf = ({ name }: Axis): string => name.replace(/\.name$/, "");
  const optionPaths = axes.filter(({ labelled }) => !labelled).map(pathOf);
  const short = axes.map((axis) => (axis.labelled ? "" : `${shortened(pathOf(axis), optionPaths)}-`));
  return cells.map((cell) => cell.map(({ label }, place) => short[place]! + label).join("_"));
}

function shortened(path: string, among: readonly string[]): string {
  const parts = path.split(".");
  const end = (length: number): string => parts.slice(-length).join(".");
  const isClear = (text: string): boolean =>
    among.every((other) => `${other}.`.startsWith(`${path}.`) || !`.${other}.`.includes(`.${text}.`));
  for (let length = 1; length < parts.length; length++) if (isClear(end(length))) return end(length);
  return path;
}

/** File systems take 255 bytes, and a log or a lock adds to a name. */
const LONGEST_NAME = 200;

/** Cells of one name would share a folder; cells of one config would do the same work twice. */
function checkDistinct(cells: readonly Cell[], path: string): void {
  const names = new Map<string, Cell>();
  const configs = new Map<string, Cell>();
  for (const cell of cells) {
    const { name, ...config } = cell.experiment;
    check(
      name.length <= LONGEST_NAME,
      () => `${path}: expected names of at most ${LONGEST_NAME} letters, got ${name}; give the values labels`,
    );
    const text = JSON.stringify([...leavesOf(config)].sort());
    const twin = names.get(name.toLowerCase()) ?? configs.get(text);
    check(
      twin === undefined,
      () =>
        `${path}: expected cells that differ, but ${described(twin!)} and ${described(cell)} come to the same ` +
        `${twin!.experiment.name.toLowerCase() === name.toLowerCase() ? "name" : "config"}; ` +
        "give their values labels, or leave one out with `exclude`",
    );
    names.set(name.toLowerCase(), cell);
    configs.set(text, cell);
  }
}

/** "method=dm, data.imbalance=10". */
function described({ labels }: Cell): string {
  return Object.entries(labels)
    .map(([axis, label]) => `${axis}=${label}`)
    .join(", ");
}
