import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { check, wholeNumber } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { Experiment } from "../config.ts";
import { forgetNetworks, trainedAfter } from "../continual/networks.ts";
import { type ContinualOptions, type ContinualPlan, continualPlan, type Order } from "../continual/plan.ts";
import { continualFiles, type ContinualResult, readContinual, writeResult } from "../continual/result.ts";
import type { ContinualRow } from "../continual/rows.ts";
import { Busy } from "../failure.ts";
import { writeWhole } from "../files.ts";
import { continualCharts } from "../report/charts/continual.ts";
import { continualMethods, continualName, continualRivals } from "../report/continual.ts";
import type { ReportData } from "../report/data.ts";
import { pluralOf } from "../report/labels.ts";
import { seriesOf } from "../report/palette.ts";
import { continualTables } from "../report/tables/continual.ts";
import { markdown, tableFiles } from "../report/tables/index.ts";
import { isDone, type RunFolder } from "../runFolder.ts";
import { distillRun } from "./distill.ts";
import { writeCharts } from "./report.ts";

/** What class-incremental learning came to, and where it went. */
export interface WrittenContinual {
  /** Of these configs. */
  readonly results: readonly ContinualResult[];
  /** Beside others of the same setting in the results folder, as Markdown. */
  readonly table: string;
  /** The folder of each config, and the figure that they are drawn into. */
  readonly paths: readonly string[];
}

/**
 * Class-incremental learning by the memories of each method (Zhao and Bilen, WACV 2023): for each order of the classes and
 * each step, the memory of that step is distilled from the images of its classes alone; then, after every step, fresh
 * networks with an output for every class are trained on all memories so far, and tested on all classes so far.
 *
 *     RESULTS/continual/NAME/steps-5/
 *       runs/           the memories, as ordinary runs
 *       networks/       a row for each network trained
 *       continual.csv   these rows
 *       continual.json  means and spreads over orders and networks
 *
 * What is there is not made again, and several processes that do the same share the work. Figures and tables of the results
 * folder get the comparison, with other methods of the same setting that are there.
 *
 * @throws InputError where the steps do not fit the classes or a config is not fit for it, before anything is computed.
 */
export async function continual(
  experiments: readonly Experiment[],
  engine: Engine,
  options: ContinualOptions,
): Promise<WrittenContinual> {
  checkOptions(experiments, options);
  const plans: ContinualPlan[] = [];
  for (const experiment of experiments) plans.push(await continualPlan(experiment, options));
  for (const plan of plans) {
    const rows = await allRows(plan, engine, options);
    writeResult(plan, rows, options.count);
  }
  return await written(plans, options);
}

function checkOptions(experiments: readonly Experiment[], { orders, count }: ContinualOptions): void {
  wholeNumber("--count", count, 1);
  check(
    orders.length > 0 && new Set(orders).size === orders.length,
    () => `--orders: expected each order once, as in 0..4 or 0,2, got ${orders.join(",") || "none"}`,
  );
  const names = experiments.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  check(
    twice === undefined,
    () => `${twice}: expected configs of different names, as results go by them, got two of this name`,
  );
}

/** A step of an order: its memory, and the networks after it. */
interface Piece {
  readonly order: Order;
  readonly step: number;
  readonly memory: RunFolder;
}

/** Seconds until what other processes are at is looked at again. */
const REVISIT = 2;

/** Makes all memories, trains all networks, and waits for what other processes are at. */
async function allRows(
  plan: ContinualPlan,
  engine: Engine,
  options: ContinualOptions,
): Promise<ContinualRow[]> {
  const pieces = plan.orders.flatMap((order) =>
    order.steps.map(({ memory }, step): Piece => ({ order, step, memory })),
  );
  process.stderr.write(`${plan.experiment.name}: ${workText(plan, pieces, options)}\n`);
  if (options.force) pieces.forEach((piece) => forgetNetworks(plan, piece, options.count));
  const anew = new Set<RunFolder>(options.force ? pieces.map(({ memory }) => memory) : []);
  const rows = new Map<Piece, ContinualRow[]>();
  for (let open = pieces; open.length > 0;) {
    const left: Piece[] = [];
    for (const piece of open) {
      const own = await rowsOfPiece(plan, piece, engine, { options, anew });
      if (own.length === options.count) rows.set(piece, own);
      else left.push(piece);
    }
    if (left.length > 0 && left.length === open.length) {
      process.stderr.write(
        `${plan.experiment.name}: waiting for other processes at ${pluralOf(left.length, "step")}\n`,
      );
      await setTimeout(1000 * REVISIT);
    }
    open = left;
  }
  return pieces.flatMap((piece) => rows.get(piece)!);
}

/** "10 memories and 30 networks, in 5 steps of 2 classes, orders 0, 1". */
function workText({ orders }: ContinualPlan, pieces: readonly Piece[], { count }: ContinualOptions): string {
  const { steps } = orders[0]!;
  return (
    `${pieces.length} ${pieces.length === 1 ? "memory" : "memories"} and ${pluralOf(pieces.length * count, "network")}, ` +
    `in ${pluralOf(steps.length, "step")} of ${steps[0]!.labels.length} classes, ` +
    `${orders.length === 1 ? "order" : "orders"} ${orders.map(({ seed }) => seed).join(", ")}`
  );
}

/**
 * What is there of a piece after this process has done what no other is at.
 *
 * @param anew memories that are still to be made although they are there.
 */
async function rowsOfPiece(
  plan: ContinualPlan,
  { order, step, memory }: Piece,
  engine: Engine,
  { options, anew }: { readonly options: ContinualOptions; readonly anew: Set<RunFolder> },
): Promise<ContinualRow[]> {
  const { results, prepared = join(results, "prepared"), count } = options;
  const isMade = await made(memory, engine, { results: plan.folder, prepared, force: anew.has(memory) });
  if (isMade) anew.delete(memory);
  const needed = order.steps.slice(0, step + 1).map((one) => one.memory);
  if (!needed.every((one) => isDone(one) && !anew.has(one))) return [];
  return await trainedAfter(plan, { order, step }, engine, count);
}

/** Whether a memory is there now; false while another process makes it. */
async function made(
  memory: RunFolder,
  engine: Engine,
  options: Parameters<typeof distillRun>[2],
): Promise<boolean> {
  try {
    await distillRun(memory, engine, options);
    return true;
  } catch (error) {
    if (error instanceof Busy) return false;
    throw error;
  }
}

/** Figures and tables of all that the results folder has of class-incremental learning, as the report has them, too. */
async function written(
  plans: readonly ContinualPlan[],
  { results }: ContinualOptions,
): Promise<WrittenContinual> {
  const all = continualFiles(results).map(readContinual);
  const isOwn = ({ experiment, classSteps }: ContinualResult): boolean =>
    plans.some((plan) => plan.experiment.name === experiment && plan.orders[0]!.steps.length === classSteps);
  const data: ReportData = { summaries: [], classNames: {}, runs: [], continual: all };
  const tables = continualTables(data);
  const charts = continualCharts(data, seriesOf(continualMethods(all)));
  for (const { name, content } of tableFiles(tables)) writeWhole(join(results, "tables", name), content);
  await writeCharts(results, charts);
  const names = continualRivals(all)
    .filter((rivals) => rivals.some(isOwn))
    .map((rivals) => `continual-${continualName(rivals, all)}`);
  return {
    results: all.filter(isOwn),
    table: markdown(tables.filter(({ id }) => names.includes(id))),
    paths: [
      ...plans.map(({ folder }) => folder),
      ...names.map((id) => join(results, "figures", `${id}.svg`)),
    ],
  };
}
