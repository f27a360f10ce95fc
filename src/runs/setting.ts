import { check } from "../core/errors.ts";
import { type Rng, seeded } from "../core/rng.ts";
import { parsed } from "../core/parse.ts";
import { sortedKeys } from "../core/sortedKeys.ts";
import { parseStrategy, usualAugmentation } from "../datasets/augment.ts";
import {
  checkedDataset,
  classIndices,
  type Dataset,
  type Splits,
  wholeClassNames,
} from "../datasets/dataset.ts";
import { checkPartition } from "../datasets/partition.ts";
import type { Engine } from "../engines/index.ts";
import { isNetwork, networkOf } from "../networks/index.ts";
import { methods } from "../objectives/index.ts";
import type { Objective, Preparation, Source } from "../objectives/objective.ts";
import { type Bounds, clamped, type Optimizer, perClass, scheduledOptimizer } from "../optimizers/index.ts";
import { plugins } from "../plugins/index.ts";
import { type MethodChoice, methodOption, type ResolvedOptions } from "./options.ts";

/**
 * What all steps of a run share, put together from its options.
 *
 * @throws InputError where images do not divide into the cells of the partition.
 */
export function sourceOf(
  options: Pick<ResolvedOptions, "imagesPerClass" | "partition" | "network" | "augmentation">,
  { train: real }: Pick<Splits, "train">,
  engine: Engine,
): Source {
  const { imagesPerClass, partition, network, augmentation } = options;
  if (partition) checkPartition("partition.factor", partition, real.imageShape);
  const classes = classIndices(real);
  const task = { imageShape: real.imageShape, classes: classes.length };
  return {
    engine,
    real,
    classes,
    network: isNetwork(network) ? network : networkOf(network, task),
    labels: Int32Array.from({ length: classes.length * imagesPerClass }, (_, i) =>
      Math.floor(i / imagesPerClass),
    ),
    imagesPerClass,
    ...(partition && { partition: { factor: partition.factor, order: partition.order } }),
    augmentation:
      augmentation === undefined ? usualAugmentation(wholeClassNames(real)) : parseStrategy(augmentation),
  };
}

/**
 * Checks that images can be chosen from a pool in place of real ones.
 *
 * @throws InputError for other shapes and classes, another normalization, and real images that are whitened.
 */
export function checkPool(where: string, pool: Dataset, { real }: Pick<Source, "real">): void {
  const told = ({ imageShape, classNames, mean, std }: Dataset): string =>
    `images of ${imageShape.join("×")} in ${classNames.length} classes (${classNames.slice(0, 3).join(", ")}, …), ` +
    `normalized by ${mean.join(", ")} and ${std.join(", ")}`;
  check(
    real.whitening === undefined,
    () =>
      `${where}: expected none beside zca, as the pool is not in the space of whitened images; leave out one of them`,
  );
  check(
    told(pool) === told(real),
    () => `${where}: expected ${told(real)}, as the real ones, got ${told(pool)}`,
  );
  checkedDataset(pool);
}

/** The chosen method inside its plugins; none where the initial images are the result. */
export function objectiveOf(options: Pick<ResolvedOptions, "objective" | "plugins">): Objective | undefined {
  const { objective: chosen } = options;
  if (chosen === undefined) return undefined;
  return options.plugins.reduce<Objective>((inner, plugin) => {
    if (typeof plugin === "function") return plugin(inner);
    const { name, ...given } = plugin;
    return plugins[name].build(given as never)(inner);
  }, bareObjective(chosen));
}

/**
 * A method by its name, alone or with options that differ from their defaults, as an objective to wrap or to vary:
 * `{ ...methodOf({ name: "dm", realBatch: 64 }), name: "mine" }`.
 *
 * @throws InputError naming every option that is wrong.
 */
export function methodOf(chosen: MethodChoice): Objective {
  return bareObjective(parsed("methodOf", methodOption, chosen));
}

function bareObjective(chosen: NonNullable<ResolvedOptions["objective"]>): Objective {
  if ("draw" in chosen) return chosen;
  const { name, ...options } = chosen;
  return methods[name].build(options as never);
}

/** The chosen optimizer of the images, with all that is around it. */
export function imageOptimizerOf(
  {
    optimizer,
    stepping,
    schedule,
    range,
  }: Pick<ResolvedOptions, "optimizer" | "stepping" | "schedule" | "range">,
  { classes, real }: Source,
): Optimizer {
  check(
    schedule.name === "constant" || !("update" in optimizer),
    () =>
      `schedule: expected constant beside an optimizer of your own, got ${schedule.name}; wrap it by \`${schedule.name}\``,
  );
  const stepped = (rule: Optimizer): Optimizer =>
    stepping === "joint" ? rule : perClass(rule, classes.length);
  const rule = "update" in optimizer ? stepped(optimizer) : scheduledOptimizer(optimizer, schedule, stepped);
  return range === "free" ? rule : clamped(rule, pixelBounds(real));
}

/** Black and white in normalized images. */
function pixelBounds({ mean, std }: Dataset): Bounds {
  const normalized = (pixel: number): number[] => mean.map((m, c) => (pixel - m) / std[c]!);
  return { low: normalized(0), high: normalized(1) };
}

/** Root of all dice of distilling at a seed. */
export function distillationRng(seed: number): Rng {
  return seeded(seed).stream("distillation");
}

/** Dice of one part of a preparation: runs of all seeds share what it makes. */
export function preparationRng({ name }: Preparation, part: number): Rng {
  return seeded(0).stream(`preparation/${name}/${part}`);
}

/** Equal for preparations that make the same of one run's data and network. */
export function preparationKey({ name, options, network, needs = [] }: Preparation): string {
  return JSON.stringify(sortedKeys([name, options, network, needs.map(preparationKey)]));
}

/** Root of all dice of training evaluation network number `seed`. */
export function evaluationRng(seed: number): Rng {
  return seeded(seed).stream("evaluation");
}
