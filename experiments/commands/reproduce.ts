import { join } from "node:path";
import { stringify } from "yaml";
import type { Engine } from "../../src/engines/index.ts";
import type { Experiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { writeWhole } from "../files.ts";
import { duration } from "../progress.ts";
import type { Published } from "../published.ts";
import { pluralOf } from "../report/labels.ts";
import { spreadOf } from "../report/statistics.ts";
import { type Cell, experimentOf, obstacle } from "../reproduction/cells.ts";
import {
  outcomeMarkdown,
  outcomes,
  outcomeText,
  rowsOfCell,
  sourceText,
  spreadText,
} from "../reproduction/outcome.ts";
import { grouped } from "../reproduction/grouped.ts";
import { readRows, type Row } from "../results.ts";
import { openRun } from "../runFolder.ts";
import { distillExperiment } from "./distill.ts";
import { evaluateRun, isEvaluated } from "./evaluate.ts";

export interface Reproduction {
  readonly cell: Cell;
  readonly experiment: Experiment;
  /** Every number there is: what some do not state is taken from others. */
  readonly published: readonly Published[];
  /** A reduced run, which gives no verdict. */
  readonly quick: boolean;
  readonly results: string;
  /** Folder of what runs share, such as expert trajectories; by default in the results. */
  readonly prepared?: string | undefined;
  /** Starts anew what is done. */
  readonly force: boolean;
}

/**
 * Distils and evaluates a published cell, seed after seed, and prints what was got against what was expected. What is done is
 * not done again, and what was cut off goes on.
 */
export async function reproduce(
  task: Reproduction,
  engine: Engine,
  print: (line: string) => void,
): Promise<void> {
  const { cell, experiment, published, quick, results, prepared, force } = task;
  print(planText(task));
  const runs = experiment.seeds.map((seed) => openRun(results, experiment, seed, force));
  const open = force || !runs.every((run) => isEvaluated(run));
  // Missing data are the user's to fetch, and no failure of the method that a row should tell of.
  if (open) await loadData(experiment.data);
  const rows: Row[] = [];
  const tell = (found: readonly Row[]): void => {
    if (open) progressLines(experiment, found).forEach(print);
  };
  for (const [done, seed] of experiment.seeds.entries()) {
    const [run] = await distillExperiment({ ...experiment, seeds: [seed] }, engine, {
      results,
      prepared,
      force,
    });
    // The first network tells how long all the others will take.
    if (done === 0) tell(await evaluateRun(run!, engine, { only: 0, force: false }));
    rows.push(...(await evaluateRun(run!, engine, { force: false })));
    tell(rows);
  }
  print("");
  if (quick) {
    print(quickText(task, rows));
    return;
  }
  const failed = rows.filter(({ status }) => status !== "done");
  if (failed.length > 0) {
    print(
      `${failed.length} of ${pluralOf(rows.length, "network")} without an accuracy: ${failed[0]!.status}`,
    );
  }
  const found = outcomes(cell, rowsOfCell(cell, experiment, rows), published);
  if (found.length > 0) print(outcomeText(found, published));
}

const accuraciesOf = (rows: readonly Row[]): number[] =>
  rows.map(({ accuracy }) => accuracy).filter((accuracy) => Number.isFinite(accuracy));

/** "48.9 ± 0.6 % (NCFM, Table 1)". */
const numberText = (published: Published): string => `${published.printed} % (${sourceText(published)})`;

/** How far it has come, and the time that the rest takes if it goes on like this; nothing at the end. */
function progressLines({ seeds, evaluation }: Experiment, rows: readonly Row[]): string[] {
  const total = seeds.length * evaluation.networks;
  if (rows.length >= total) return [];
  const runs = grouped(rows, ({ distillSeed }) => distillSeed);
  const meanOf = (values: readonly number[]): number => spreadOf(values).mean;
  const left =
    (seeds.length - runs.length) * meanOf(runs.map(([row]) => row!.distillSeconds)) +
    (total - rows.length) * meanOf(rows.map(({ evaluationSeconds }) => evaluationSeconds));
  const got = spreadText(spreadOf(accuraciesOf(rows)));
  return [`${rows.length} of ${pluralOf(total, "network")}: ${got} %; about ${duration(left)} left`];
}

/** What is about to be done, before hours are spent on it. */
function planText({ cell, experiment, quick }: Reproduction): string {
  const { steps, seeds, evaluation } = experiment;
  const sets = experiment.objective
    ? `${pluralOf(seeds.length, "distillation")} of ${steps.toLocaleString("en")} steps`
    : `${pluralOf(seeds.length, "selection")} of real images`;
  const networks = `${pluralOf(seeds.length * evaluation.networks, "network")} by ${evaluation.protocol}`;
  const numbers = cell.published.map(numberText).join(", ");
  const kind = quick ? "quick look, no reproduction" : "expected";
  return (
    `${cell.name}: ${kind}${quick ? "; published:" : ""} ${numbers}\n` +
    `${sets}, ${networks}; the time left that is shown is of the part at hand, a distillation or a network.`
  );
}

function quickText({ cell }: Reproduction, rows: readonly Row[]): string {
  const got = spreadText(spreadOf(accuraciesOf(rows)));
  const expected = cell.published.map(numberText).join(", ");
  return (
    `got ${got} % over ${pluralOf(rows.length, "network")}; published: ${expected}\n` +
    "No verdict: this was a quick look with fewer steps, a narrower network and the protocol quick. That it went through " +
    "says that all is in place; its number says nothing about the published one."
  );
}

/** Writes tables/reproduced.md of all cells that a results folder has rows of, and returns its path. */
export function writeReproduced(
  results: string,
  cells: Iterable<Cell>,
  published: readonly Published[],
): string {
  const rows = readRows(join(results, "runs.csv"));
  const found = [...cells].flatMap((cell) =>
    outcomes(cell, rowsOfCell(cell, experimentOf(cell, [], false), rows), published),
  );
  const path = join(results, "tables", "reproduced.md");
  writeWhole(path, outcomeMarkdown(found));
  return path;
}

/** The experiment of a cell as a config that `distill` and sweeps take. */
export function configText(cell: Cell, experiment: Experiment): string {
  const { name, ...config } = experiment;
  const expected = cell.published.map(numberText).join(", ");
  return `# ${name}, as published: ${expected}\n${stringify(config)}`;
}

/** Lines of all cells that hold every word: those that can be made again here, then the others with what they wait for. */
export function listLines(
  words: readonly string[],
  cells: ReadonlyMap<string, Cell>,
  published: readonly Published[],
): string[] {
  const numbers = grouped(published, ({ cell, metric }) => `${cell} ${metric}`);
  const lines = numbers.map((of) => {
    const [first] = of as [Published, ...Published[]];
    const runs = cells.has(first.cell) && first.metric === "accuracy";
    const all = of.map(numberText).join(", ");
    return { runs, line: [first.cell, runs ? "runs here" : obstacle(first), all] };
  });
  const wanted = lines
    .filter(({ line }) => words.every((word) => line.join(" ").toLowerCase().includes(word.toLowerCase())))
    .sort((a, b) => Number(b.runs) - Number(a.runs));
  if (wanted.length === 0) return [`no cell holds ${words.join(" and ")}; reproduce --list shows all`];
  const widths = [0, 1].map((column) => Math.max(...wanted.map(({ line }) => line[column]!.length)));
  const padded = wanted.map(({ line }) =>
    line.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "),
  );
  const here = wanted.filter(({ runs }) => runs).length;
  return [...padded, "", `${here} of ${pluralOf(wanted.length, "cell")} can be made again here.`];
}
