import type { Experiment } from "../config.ts";
import { duration } from "../progress.ts";
import type { Published } from "../published.ts";
import { pluralOf } from "../report/labels.ts";
import { spreadOf, type Spread } from "../report/statistics.ts";
import { textTable } from "../bench/table.ts";
import { optionsText } from "../leaves.ts";
import type { Row } from "../results.ts";
import { methodName } from "../setting.ts";
import { type Comparison, compare, laboratorySpread } from "./band.ts";
import type { Cell } from "./cells.ts";
import { grouped } from "./grouped.ts";

/** A published number beside what was measured for it. */
export interface Outcome {
  readonly published: Published;
  readonly comparison: Comparison;
  /** Over all networks of all distillations. */
  readonly accuracy: Spread;
  readonly distillations: number;
  /** Mean seconds of one distillation, and of training and testing one network. */
  readonly distillSeconds: number;
  readonly evaluationSeconds: number;
  readonly engines: readonly string[];
  readonly commits: readonly string[];
}

/** Rows of a runs.csv that measure what a cell's experiment measures. */
export function rowsOfCell(cell: Cell, experiment: Experiment, rows: readonly Row[]): Row[] {
  const options = optionsText(experiment);
  const network = cell.published
    .map(({ evaluationNetwork }) => evaluationNetwork)
    .find((name) => name !== "");
  return rows.filter(
    (row) =>
      row.status === "done" &&
      row.experiment === experiment.name &&
      row.dataset === experiment.data.name &&
      row.imbalance === experiment.data.imbalance &&
      row.imagesPerClass === experiment.imagesPerClass &&
      row.objective === methodName(experiment) &&
      row.plugins === experiment.plugins.map(({ name }) => name).join(" ") &&
      row.steps === (experiment.objective ? experiment.steps : 0) &&
      row.options === options &&
      row.protocol === experiment.evaluation.protocol &&
      (network === undefined || row.evaluationNetwork === network),
  );
}

/** Each number published for a cell beside the rows that measure it; none where there are no rows. */
export function outcomes(cell: Cell, rows: readonly Row[], context: readonly Published[]): Outcome[] {
  if (rows.length === 0) return [];
  const runs = grouped(rows, ({ distillSeed }) => distillSeed);
  const each = <T>(value: (row: Row) => T): T[] => [...new Set(rows.map(value))];
  return cell.published.map((published) => ({
    published,
    comparison: compare(
      published,
      runs.map((run) => run.map(({ accuracy }) => accuracy)),
      context,
    ),
    accuracy: spreadOf(rows.map(({ accuracy }) => accuracy)),
    distillations: runs.length,
    distillSeconds: spreadOf(runs.map((run) => run[0]!.distillSeconds)).mean,
    evaluationSeconds: spreadOf(rows.map(({ evaluationSeconds }) => evaluationSeconds)).mean,
    engines: each(({ engine }) => engine),
    commits: each(({ commit }) => commit),
  }));
}

const points = (fraction: number): string => (100 * fraction).toFixed(1);

/** "48.9 ± 0.6" in percent. */
export const spreadText = ({ mean, std }: Spread): string =>
  points(mean) + (Number.isFinite(std) ? ` ± ${points(std)}` : "");

/** Where a number stands, and how it was read where that says more: "DM, Table 1 [memory]", "DM, README". */
export function sourceText({ source, evidence }: Published): string {
  const told = evidence === "paper" || source.toLowerCase().includes(evidence);
  return told ? source : `${source} [${evidence}]`;
}

/** Columns of a table of outcomes, and their cells as text. */
const columns: Readonly<Record<string, (outcome: Outcome) => string>> = {
  cell: ({ published }) => published.cell,
  source: ({ published }) => sourceText(published),
  "expected, %": ({ published }) => published.printed,
  "got, %": ({ accuracy }) => spreadText(accuracy),
  difference: ({ comparison, published }) => signed(comparison.got - published.mean),
  band: ({ comparison }) => (Number.isFinite(comparison.band) ? `± ${points(comparison.band)}` : ""),
  verdict: ({ comparison }) => comparison.verdict,
  distillations: ({ distillations }) => String(distillations),
  networks: ({ accuracy }) => String(accuracy.count),
  "a distillation": ({ distillSeconds }) => (distillSeconds === 0 ? "none" : duration(distillSeconds)),
  "a network": ({ evaluationSeconds }) => duration(evaluationSeconds),
  engine: ({ engines }) => engines.join(" "),
  commit: ({ commits }) => commits.join(" "),
};

const signed = (fraction: number): string => (fraction < 0 ? "−" : "+") + points(Math.abs(fraction));

const names = Object.keys(columns);
const shownHere = ["source", "expected, %", "got, %", "difference", "band", "verdict"];

/** What a cell came to, for the terminal: a table no wider than it has to be, and in words what it rests on. */
export function outcomeText(found: readonly Outcome[], context: readonly Published[]): string {
  const rows = found.map((outcome) => shownHere.map((name) => columns[name]!(outcome)));
  const { std, pairs } = laboratorySpread(context);
  const notes = found.map(({ published, comparison }) => {
    const { protocol, selection, note } = published;
    const facts = [
      `spread ${points(comparison.spread.std)} (${comparison.spread.from})`,
      protocol === "" ? "evaluation protocol not stated" : `evaluated by ${protocol}`,
      ...(selection === "best" ? ["the best of several looks at the test set"] : []),
      ...(note === "" ? [] : [note]),
    ];
    return `${sourceText(published)}: ${facts.join("; ")}`;
  });
  const { accuracy, distillations, distillSeconds, evaluationSeconds, engines } = found[0]!;
  const counts = `${pluralOf(accuracy.count, "network")} of ${pluralOf(distillations, "distillation")}`;
  const times = distillSeconds === 0 ? "" : `${duration(distillSeconds)} a distillation, `;
  return [
    textTable(shownHere, rows),
    "",
    `got over ${counts}; ${times}${duration(evaluationSeconds)} a network, on ${engines.join(" and ")}`,
    ...notes,
    `The band holds 95 % of faithful reproductions: spread of theirs and ours, and ${points(std)} points from laboratory to ` +
      `laboratory (${pluralOf(pairs, "pair")} of published numbers); docs/reproducing.md has the formula.`,
  ].join("\n");
}

/** The same of many cells in Markdown. */
export function outcomeMarkdown(found: readonly Outcome[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rows = found.map((outcome) => line(names.map((name) => columns[name]!(outcome))));
  return [
    "Published numbers made again by `npx distillery reproduce`. Accuracies and differences in percent, over all networks of all",
    "distillations; ± the standard deviation (n − 1). docs/reproducing.md explains band and verdict.",
    "",
    line(names),
    line(names.map((_, column) => (column < 2 ? "---" : "---:"))),
    ...rows,
    "",
  ].join("\n");
}
