import type { Rng } from "../core/rng.ts";
import { normalized } from "../datasets/dataset.ts";
import { disposeExcept, type Tensor } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import { imagesAtOnce, type Mode } from "../networks/network.ts";
import { freshModel, type Model } from "../training/model.ts";
import { accumulated, type Batch, parameterGradient } from "../training/parameterGradient.ts";
import { finished, train } from "../training/train.ts";
import { tensorData } from "../training/trainingData.ts";
import { augmented, decodedRows, labelsOf } from "./classBatches.ts";
import type { GradientDraw, GradientMethod } from "./gradientMatching.ts";
import type { Source } from "./objective.ts";

/** What of a network goes on from one step to the next. */
export type Carried = Pick<Model, "parameters" | "statistics">;

/**
 * The network of a step: the one that goes on, or a fresh one. With batch norm, its running statistics after one more look
 * at some real images of each class, as they are.
 */
export function matchingModel(
  carried: Carried | undefined,
  source: Source,
  normImages: number,
  rng: Rng,
): Model {
  const { engine, network, real, classes } = source;
  const model: Model = carried ? { network, ...carried } : freshModel(network, engine, rng.stream("network"));
  if (network.statistics.length === 0) return model;
  const update = { statistics: model.statistics };
  const rows = classes.flatMap((members, label) => {
    const order = rng.stream(`norm/${label}`).permutation(members.length);
    return Array.from(order.subarray(0, normImages), (i) => members[i]!);
  });
  const images = engine.tensor([rows.length, ...real.imageShape], normalized(real, rows));
  engine.noGrad(() => network.embed(model.parameters, images, { use: "batch", update }));
  return { ...model, statistics: update.statistics };
}

/** How a network with batch norm normalizes while gradients are matched. */
export function modeOf({ statistics }: Model): { readonly mode?: Mode } {
  return statistics.length === 0 ? {} : { mode: { use: "running", statistics } };
}

/**
 * The gradient on the real images of some classes, each class counting the same:
 *
 *     g = 1/C Σ_c ∇_θ ℓ(A_c(R_c); θ)
 *
 * Classes go through the network together, as many images at once as it takes.
 */
export function realGradient(classes: readonly number[], draw: GradientDraw): ParameterGradient {
  const { source, model, batches } = draw;
  const { engine } = source;
  const most = imagesAtOnce(source.network);
  const groups: number[][] = [];
  let images = Infinity;
  for (const label of classes) {
    const count = batches[label]!.length;
    images += count;
    if (images > most) {
      groups.push([]);
      images = count;
    }
    groups.at(-1)!.push(label);
  }
  return engine.scope(() => {
    let total: ParameterGradient | undefined;
    for (const group of groups) {
      const next = engine.scope(() => {
        const batch = realBatchOf(group, classes.length, draw);
        return accumulated(total, parameterGradient(source.network, model.parameters, batch));
      });
      disposeExcept(total, next);
      total = next;
    }
    return total!;
  });
}

/** Some of `of` classes' real images, with labels that make their mean cross-entropy these classes' part of the mean over all. */
function realBatchOf(classes: readonly number[], of: number, draw: GradientDraw): Batch {
  const { source, model, batches, augmentations } = draw;
  const { engine, real } = source;
  const counts = classes.map((label) => batches[label]!.length);
  const n = counts.reduce((sum, count) => sum + count);
  const positions = classes.flatMap((label) => [...batches[label]!]);
  const values = engine.tensor([n, ...real.imageShape], normalized(real, positions));
  const weights = new Float64Array(n * source.classes.length);
  let row = 0;
  classes.forEach((label, i) => {
    for (let k = 0; k < counts[i]!; k++)
      weights[row++ * source.classes.length + label] = n / (of * counts[i]!);
  });
  return {
    images: augmented({ classes, counts, values }, augmentations),
    labels: engine.tensor([n, source.classes.length], weights),
    ...modeOf(model),
  };
}

/** The network after its training on the synthetic images, by plain SGD. */
export function trained(
  images: Tensor,
  { source, model, training }: GradientDraw,
  networkTraining: GradientMethod["networkTraining"],
): Carried {
  const { engine, augmentation, classes } = source;
  return engine.scope(() => {
    const all = classes.map((_, label) => label);
    const rows = decodedRows(all, images, source);
    const how = {
      ...networkTraining,
      epochs: training!.epochs,
      momentum: 0,
      weightDecay: 0,
      drops: { afterEpochs: [], factor: 1 },
      augmentation,
    };
    const data = tensorData(rows.values, labelsOf(rows));
    const { parameters, statistics } = finished(train(model, data, how, training!.rng));
    return { parameters, statistics };
  });
}
