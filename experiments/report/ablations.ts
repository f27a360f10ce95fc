import { methodOf } from "./labels.ts";
import { groups, type Summary } from "./summarize.ts";
import { optionsOf } from "./variants.ts";

/** What is varied: an option by its path, or the imbalance, which has a column of its own. */
export interface Factor {
  readonly path: string;
  /** As people read it: "kernel" of objective.kernel.name. */
  readonly name: string;
  /** In order: numbers rising, words as they appear. */
  readonly values: readonly string[];
  readonly numeric: boolean;
}

/** A measurement, and what it is on each factor by path. One that has no such option, as a kernel without scale, has none. */
export interface AblationCell {
  readonly summary: Summary;
  readonly values: ReadonlyMap<string, string>;
}

/** One method's cells, at one value of the third factor where there is one. */
export interface AblationPanel {
  readonly method: string;
  readonly facet: string | undefined;
  readonly cells: readonly AblationCell[];
}

/** A grid over two or three factors, all else equal, of one or several methods. */
export interface Ablation {
  /** Along the horizontal axis. */
  readonly x: Factor;
  /** From line to line, or along the vertical axis. */
  readonly line: Factor;
  /** From panel to panel. */
  readonly facet: Factor | undefined;
  readonly panels: readonly AblationPanel[];
}

/** What is the same over an ablation, beside all options that are no factor. */
const shared = ["dataset", "imagesPerClass", "network", "protocol", "evaluationNetwork"] as const;
/** The column that can be a factor. */
const IMBALANCE = "imbalance";
/** Cells that must be there of all combinations of values: some runs may have failed. */
const LEAST_SHARE = 0.75;

/**
 * All grids of measurements over three factors, and those over two that are no part of one over three. A sweep over one
 * option at a time has none.
 */
export function ablationsOf(summaries: readonly Summary[]): Ablation[] {
  const measured = summaries.filter(({ accuracy }) => Number.isFinite(accuracy.mean));
  return [...groups(measured, shared).values()].flatMap((family) => {
    const grids = [...groups(family, ["objective", "plugins"]).values()].flatMap(gridsOf);
    const keyed = grids.map((grid) => ({ grid, factors: grid.factors.join(" ") }));
    return [...groups(keyed, ["factors"]).values()].map((alike) => ablationOf(alike.map(({ grid }) => grid)));
  });
}

/** Cells of one method over some factors, all else equal. */
interface Grid {
  /** Paths of the factors. */
  readonly factors: readonly string[];
  readonly cells: readonly AblationCell[];
}

interface Config {
  readonly summary: Summary;
  readonly options: ReadonlyMap<string, string>;
}

function gridsOf(summaries: readonly Summary[]): Grid[] {
  const configs = summaries.map((summary): Config => ({
    summary,
    options: new Map([...optionsOf(summary), [IMBALANCE, String(summary.imbalance)]]),
  }));
  const paths = new Set(configs.flatMap(({ options }) => [...options.keys()]));
  const varied = [...paths].filter((path) => valuesOf(path, configs).length > 1);
  const candidates = [3, 2].flatMap((size) =>
    combinations(varied, size).flatMap((factors) =>
      alikeBut(factors, configs)
        .filter((cells) => isGrid(factors, cells))
        .map((cells): Grid => ({ factors, cells })),
    ),
  );
  return candidates.filter((grid, i) => !candidates.slice(0, i).some((larger) => isWithin(grid, larger)));
}

function isWithin({ cells }: Grid, larger: Grid): boolean {
  const summaries = new Set(larger.cells.map(({ summary }) => summary));
  return cells.every(({ summary }) => summaries.has(summary));
}

function valuesOf(path: string, configs: readonly Config[]): string[] {
  return [...new Set(configs.flatMap(({ options }) => options.get(path) ?? []))];
}

function combinations<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) =>
    combinations(items.slice(i + 1), size - 1).map((others) => [item, ...others]),
  );
}

/** Configs that agree in everything but the factors, and what comes and goes with the value of one. */
function alikeBut(factors: readonly string[], configs: readonly Config[]): AblationCell[][] {
  const ignored = new Set([...factors, ...factors.flatMap((path) => comingAndGoing(path, configs))]);
  const keyed = configs.map(({ summary, options }) => ({
    summary,
    values: new Map(factors.flatMap((path) => (options.has(path) ? [[path, options.get(path)!]] : []))),
    rest: JSON.stringify([...options].filter(([path]) => !ignored.has(path)).sort()),
  }));
  return [...groups(keyed, ["rest"]).values()];
}

/** Beside objective.kernel.name, options of objective.kernel that only some kernels have. */
function comingAndGoing(path: string, configs: readonly Config[]): string[] {
  if (!path.endsWith(".name")) return [];
  const prefix = path.slice(0, -"name".length);
  const beside = new Set(configs.flatMap(({ options }) => [...options.keys()]));
  return [...beside].filter(
    (other) => other.startsWith(prefix) && configs.some(({ options }) => !options.has(other)),
  );
}

function isGrid(factors: readonly string[], cells: readonly AblationCell[]): boolean {
  const whole = cells.filter(({ values }) => values.size === factors.length);
  const counts = factors.map((path) => new Set(whole.map(({ values }) => values.get(path))).size);
  const filled = new Set(whole.map(({ values }) => JSON.stringify([...values]))).size;
  const all = counts.reduce((product, count) => product * count, 1);
  return counts.every((count) => count > 1) && filled >= 4 && filled >= LEAST_SHARE * all;
}

/** Grids of several methods over the same factors. */
function ablationOf(grids: readonly Grid[]): Ablation {
  const cells = grids.flatMap((grid) => grid.cells);
  const known = new Set(cells.flatMap(({ summary }) => [...optionsOf(summary).keys()]));
  const factors = grids[0]!.factors.map((path) => factorOf(path, cells, [...known]));
  const [x, line, facet] = arranged(factors);
  const panels = grids.flatMap((grid) =>
    (facet?.values ?? [undefined]).flatMap((value) => {
      const own = grid.cells.filter(({ values }) => facet === undefined || values.get(facet.path) === value);
      return own.length === 0 ? [] : [{ method: methodOf(own[0]!.summary), facet: value, cells: own }];
    }),
  );
  return { x, line, facet, panels };
}

function factorOf(path: string, cells: readonly AblationCell[], paths: readonly string[]): Factor {
  const values = [...new Set(cells.flatMap(({ values: own }) => own.get(path) ?? []))];
  const numeric = values.every((value) => value.trim() !== "" && Number.isFinite(Number(value)));
  return {
    path,
    name: shortName(path, paths),
    values: numeric ? values.sort((a, b) => Number(a) - Number(b)) : values,
    numeric,
  };
}

/** The end of an option's path that no other path has: "alphaHead" of objective.weighting.alphaHead. */
function shortName(path: string, among: readonly string[]): string {
  const ends = (text: string, end: string): boolean => `.${text}`.endsWith(`.${end}`);
  const parts = path.replace(/\.name$/, "").split(".");
  const tails = parts.map((_, i) => parts.slice(parts.length - 1 - i).join("."));
  const others = among.filter((other) => other !== path);
  return tails.find((tail) => others.every((other) => !ends(other, tail))) ?? path;
}

/**
 * Horizontally the option with the most numbers, else the imbalance; from panel to panel, of the others, what has the
 * fewest values.
 */
function arranged(factors: readonly Factor[]): [x: Factor, line: Factor, facet: Factor | undefined] {
  const rank = ({ path, numeric, values }: Factor): number =>
    (numeric ? 1000 : 0) + (path === IMBALANCE ? 0 : 500) + values.length;
  const [x, ...others] = [...factors].sort((a, b) => rank(b) - rank(a));
  const [line, facet] = others.sort((a, b) => b.values.length - a.values.length);
  return [x!, line!, facet];
}

/** Whether measurements that differ in one factor are shown by an ablation already. */
export function isShown(
  ablations: readonly Ablation[],
  path: string,
  summaries: readonly Summary[],
): boolean {
  return ablations.some(
    ({ x, line, facet, panels }) =>
      [x, line, facet].some((factor) => factor?.path === path) &&
      summaries.every((one) => panels.some(({ cells }) => cells.some(({ summary }) => summary === one))),
  );
}
