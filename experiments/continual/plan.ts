import { join } from "node:path";
import { check } from "../../src/core/errors.ts";
import { classSteps } from "../../src/datasets/classSteps.ts";
import type { Splits } from "../../src/datasets/dataset.ts";
import { type ProtocolId, protocols } from "../../src/evaluation/protocols.ts";
import { type Network, networkOf } from "../../src/networks/index.ts";
import type { Experiment } from "../config.ts";
import { type DatasetOptions, loadData } from "../data/load.ts";
import { openRun, type RunFolder } from "../runFolder.ts";

/** What is asked of class-incremental learning, whatever the method. */
export interface ContinualOptions {
  /** Results folder. */
  readonly results: string;
  /** Folder of what runs share; by default `prepared` in the results folder. */
  readonly prepared?: string | undefined;
  /** Steps in which the classes come. */
  readonly steps: number;
  /** Seeds of the orders of the classes. */
  readonly orders: readonly number[];
  /** Fresh networks trained after every step of every order. */
  readonly count: number;
  /** Makes memories and trains networks anew that are there. */
  readonly force: boolean;
}

/** The class-incremental learning of one method: what is to be distilled, and what networks are trained on. */
export interface ContinualPlan {
  /** Of the whole data set, or of those of its classes that the config keeps. */
  readonly experiment: Experiment;
  readonly splits: Splits;
  /** RESULTS/continual/NAME/steps-5. */
  readonly folder: string;
  readonly protocol: ProtocolId;
  /** With an output for every class, from the first step on. */
  readonly network: Network;
  readonly orders: readonly Order[];
}

/** An order of the classes, cut into steps. */
export interface Order {
  /** Of the order, and of the distillations of its memories. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** Classes that come together. */
export interface Step {
  /** Their labels in the plan's data, the first of the memory's class 0. */
  readonly labels: readonly number[];
  /** The ordinary run that makes their memory, of their images alone. */
  readonly memory: RunFolder;
}

/** The folder of one config's class-incremental learning in so many steps. */
export function continualFolder(results: string, name: string, steps: number): string {
  return join(results, "continual", name, `steps-${steps}`);
}

/**
 * What a config comes to in class-incremental learning. Its `seeds` have no part in it: the order's seed is also that of
 * its distillations.
 *
 * @throws InputError where steps do not divide the classes, for a method that whitens, and where a folder holds runs of
 *   other options.
 */
export async function continualPlan(
  experiment: Experiment,
  { results, steps, orders, force }: ContinualOptions,
): Promise<ContinualPlan> {
  const { name, data, network, evaluation } = experiment;
  check(
    !experiment.zca,
    () =>
      `${name}.zca: expected false in class-incremental learning, as the memory of each step would be in a space of its own, ` +
      "and no network can be trained in several at once; leave it out by zca=false",
  );
  check(
    experiment.pool?.name !== "sets",
    () =>
      `${name}.pool: expected none, or augmented images, in class-incremental learning, as a pool of sets is one of all classes, ` +
      "got sets; the memory of each step is chosen from the images of its own classes",
  );
  const { splits } = await loadData(data);
  const { imageShape, classNames } = splits.train;
  const folder = continualFolder(results, name, steps);
  const stepsOf = (seed: number): Step[] =>
    classSteps(classNames.length, { steps, seed }).map((labels, step) => {
      const whole = labels.map((label) => data.onlyLabels?.[label] ?? label);
      const own: Experiment = {
        ...experiment,
        name: `${name}_order-${seed}_step-${step}`,
        data: { ...data, onlyLabels: whole } as DatasetOptions,
        seeds: [seed],
      };
      return { labels, memory: openRun(folder, own, seed, force) };
    });
  return {
    experiment,
    splits,
    folder,
    protocol: evaluation.protocol,
    network: networkOf(evaluation.network ?? network, { imageShape, classes: classNames.length }),
    orders: orders.map((seed) => ({ seed, steps: stepsOf(seed) })),
  };
}

/** Version of the plan's protocol: accuracies of two versions do not compare. */
export function protocolVersion({ protocol }: Pick<ContinualPlan, "protocol">): number {
  return protocols[protocol].version;
}

/** Where the rows of a plan's networks are kept, apart from those of other protocols and architectures. */
export function networksFolder({
  folder,
  protocol,
  network,
}: Pick<ContinualPlan, "folder" | "protocol" | "network">): string {
  return join(folder, "networks", protocol, network.name);
}
