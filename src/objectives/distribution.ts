import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import { type Augmentation, drawAugmentation } from "../datasets/augment.ts";
import { cellsOf, decoded } from "../datasets/partition.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { imagesAtOnce } from "../networks/network.ts";
import { choice } from "../core/options.ts";
import { parameterGradient } from "../training/parameterGradient.ts";
import {
  type MatchingNetworks,
  type NetworkSource,
  networkSourceOf,
  networkSources,
} from "./networkSources/index.ts";
import type { Draw, GradientPenalty, Learned, Objective, Source } from "./objective.ts";
import { augmented, comparisonsWith } from "./realFeatures.ts";
import type { ClassRows, Comparison, SyntheticClasses, Term } from "./term.ts";
import { termsOf, termsOptions } from "./terms/index.ts";

export const distributionOptions = z.strictObject({
  realBatch: z
    .int()
    .min(1)
    .default(256)
    .describe("Real images of each class in a step; all of a class that has fewer"),
  precision: z
    .enum(["full", "bf16"])
    .default("full")
    .describe(
      "Of convolutions of real images: the engine's, or products of bfloat16, faster on some processors and GPUs; " +
        "docs/performance.md has its effect on the loss",
    ),
  networks: choice(networkSources, { name: "fresh" }).describe("Where each step's network comes from"),
  terms: termsOptions.prefault({}).describe("Added to the method's own"),
});

export interface DistributionDraw extends Draw {
  /** Where it was drawn from. */
  readonly source: Source;
  /** The step's networks. */
  readonly networks: MatchingNetworks;
  /** One for each class, shared by its real and synthetic images. */
  readonly augmentations: readonly Augmentation[];
  /** What each term compares the synthetic embeddings with. */
  readonly comparisons: readonly { readonly weight: number; readonly comparison: Comparison }[];
  /** What the step found of the networks' and the terms' state. */
  readonly state: State;
}

/** State of the source of networks and of each term; null of those that have none. */
interface State {
  readonly networks: Tree;
  readonly terms: readonly Tree[];
}

/**
 * A method that compares embeddings of real and synthetic images of each class under networks of some source (DM's
 * iteration, Zhao & Bilen 2023, algorithm 1, where each step's network is a fresh random one), by a sum of terms:
 *
 *     L(S) = Σ_terms weight · Σ_c term( f(A_c(R_c)), f(A_c(S_c)) )
 *
 * with a siamese augmentation A_c of each class. Images that are mosaics are decoded first. To the method's own terms come those of the option `terms`. Classes go
 * through the network together, as many images at once as it takes, so that memory does not grow with their number; that
 * changes nothing where samples do not interact. Under batch norm they do: then all real images form one batch, and all
 * synthetic ones another, as DM's own code has it.
 *
 * A penalty on the synthetic gradient sees that of the mean cross-entropy on the augmented synthetic images under the
 * step's network.
 */
export function distributionMatching(
  name: string,
  own: readonly Term[],
  options: z.infer<typeof distributionOptions>,
): Objective<DistributionDraw> {
  const networkSource = networkSourceOf(options.networks);
  const parts = { ...options, networkSource, terms: [...own, ...termsOf(options.terms)] };
  const stateful = [networkSource, ...parts.terms];
  const preparations = stateful.flatMap((part) => part.preparations ?? []);
  return {
    name,
    ...(preparations.length > 0 && { preparations }),
    ...(stateful.some((part) => "begin" in part) && {
      begin: (source, rng) => ({ state: begun(parts, source, rng) as unknown as Tree }),
      after: (learned, draw) => stateAfter(learned, draw) as unknown as Tree,
    }),
    draw: (source, rng, at) => drawn(parts, source, rng, at),
    loss: (learned, draw, penalty) => lossOf(allClasses(draw.source), learned.images, draw, penalty),
    /** The loss is a sum over classes: some at a time, and the gradients of their images put together. */
    descent(learned, draw, penalty) {
      const { engine } = draw.source;
      return engine.scope(() => {
        const groups = classGroups(draw.source);
        const tied = penalty && groups.length > 1 ? tangent(penalty, learned, draw) : undefined;
        const parts = groups.map((classes) =>
          engine.scope(() =>
            engine.gradients(
              (images) => lossOf(classes, images!, draw, tied?.slope ?? penalty),
              [imagesOf(classes, learned, draw.source)],
            ),
          ),
        );
        const values = [...parts.map(({ value }) => value), ...(tied ? [tied.rest] : [])];
        const images = engine.concat(parts.map(({ gradients }) => gradients[0]!));
        return { value: sum(values), gradients: { images } };
      });
    },
  };
}

/** What a method is put together from. */
interface Parts extends Pick<z.infer<typeof distributionOptions>, "realBatch" | "precision"> {
  readonly networkSource: NetworkSource;
  /** The method's own and those added to it. */
  readonly terms: readonly Term[];
}

function begun({ networkSource, terms }: Parts, source: Source, rng: Rng): State {
  return {
    networks: networkSource.begin?.(source, rng.stream("networks")) ?? null,
    terms: terms.map((term, i) => term.begin?.(source, rng.stream(`term/${i}`)) ?? null),
  };
}

function drawn(
  { networkSource, terms, realBatch, precision }: Parts,
  source: Source,
  rng: Rng,
  at: { readonly step: number; readonly state: Tree },
): DistributionDraw {
  const { engine, classes, real, augmentation } = source;
  const stateless: State = { networks: null, terms: terms.map(() => null) };
  const state = (at.state ?? stateless) as unknown as State;
  const networks = networkSource.draw(source, rng, { step: at.step, state: state.networks });
  const batches = classes.map((members, label) => sample(members, realBatch, rng.stream(`real/${label}`)));
  const augmentations = classes.map((_, label) =>
    drawAugmentation(augmentation, "siamese", real.imageShape, rng.stream(`augmentation/${label}`)),
  );
  const found = engine.noGrad(
    () => comparisonsWith({ source, networks, augmentations, batches, states: state.terms }, terms, rng),
    precision,
  );
  const comparisons = terms.map(({ weight }, i) => ({ weight, comparison: found[i]! }));
  const metrics: Record<string, number> = { ...networks.metrics };
  for (const comparison of found) Object.assign(metrics, comparison.metrics);
  return { step: at.step, source, networks, augmentations, comparisons, metrics, state };
}

/** Up to `count` of the members, without replacement. */
function sample(members: Int32Array, count: number, rng: Rng): Int32Array {
  return rng
    .permutation(members.length)
    .subarray(0, count)
    .map((i) => members[i]!);
}

/**
 * Loss of some consecutive classes by their synthetic images. A penalty sees their part of the gradient: what their images
 * contribute to that of the mean cross-entropy over all classes.
 */
function lossOf(
  classes: readonly number[],
  images: Tensor,
  draw: DistributionDraw,
  penalty?: GradientPenalty,
): Tensor {
  const { source, networks, comparisons, step } = draw;
  const { engine, network } = source;
  const theta = networks.parameters;
  const inputs = inputsOf(classes, images, draw);
  let embeddings: Tensor | undefined;
  const extra: Tensor[] = [];
  if (penalty) {
    const share = classes.length / source.classes.length;
    const training = (...parameters: Tensor[]): Tensor => {
      embeddings = network.embed(parameters, inputs.values); // that the terms compare, too: one pass for both
      return crossEntropy(network.classify(parameters, embeddings), labelsOf(inputs)).mul(share);
    };
    extra.push(penalty(engine.gradients(training, theta).gradients, step));
  }
  const synthetic = classesOf(inputs, embeddings ?? network.embed(theta, inputs.values));
  const losses = comparisons.map(({ weight, comparison }) => comparison.loss(synthetic).mul(weight));
  return sum([...losses, ...extra]);
}

/** The synthetic images of some consecutive classes as networks see them in a step. */
function inputsOf(
  classes: readonly number[],
  images: Tensor,
  { source, augmentations }: DistributionDraw,
): ClassRows {
  const { partition } = source;
  const counts = classes.map(() => seenPerClass(source));
  const values = partition ? decoded(images, partition) : images;
  return { classes, counts, values: augmented({ classes, counts, values }, augmentations) };
}

function classesOf({ classes, counts, values: images }: ClassRows, embeddings: Tensor): SyntheticClasses {
  return { classes, counts, images, values: embeddings };
}

function labelsOf({ classes, counts }: ClassRows): Int32Array {
  return Int32Array.from(classes.flatMap((label, i) => new Array<number>(counts[i]!).fill(label)));
}

/** The state that the next step finds. Terms that learn see the images after the update, under this step's networks. */
function stateAfter({ images }: Learned, draw: DistributionDraw): State {
  const { source, networks, comparisons, state } = draw;
  const { engine, network } = source;
  const learns = comparisons.some(({ comparison }) => comparison.after !== undefined);
  const terms = !learns
    ? state.terms
    : engine.scope(() => {
        const inputs = inputsOf(allClasses(source), images, draw);
        const embeddings = engine.noGrad(() => network.embed(networks.parameters, inputs.values));
        const synthetic = classesOf(inputs, embeddings);
        return comparisons.map(({ comparison }, i) => comparison.after?.(synthetic) ?? state.terms[i]!);
      });
  return { networks: networks.after?.() ?? state.networks, terms };
}

/**
 * A penalty R at the gradient g on all synthetic images, as a sum over groups of them: its slope v = ∂R/∂g makes the
 * gradient in the images exact, and the rest makes up for the value.
 *
 *     R(g) = Σ_groups ⟨v, g_group⟩ + rest,   rest = R(g) − ⟨v, g⟩
 */
function tangent(
  penalty: GradientPenalty,
  { images }: Learned,
  draw: DistributionDraw,
): { readonly slope: GradientPenalty; readonly rest: Tensor } {
  const { source, networks, step } = draw;
  const { engine, network } = source;
  const along = (v: readonly Tensor[], part: readonly Tensor[]): Tensor =>
    sum(part.map((one, i) => one.mul(v[i]!).sum()));
  const { v, rest } = engine.scope(() => {
    const inputs = inputsOf(allClasses(source), images, draw);
    const batch = { images: inputs.values, labels: labelsOf(inputs) };
    const g = parameterGradient(network, networks.parameters, batch);
    const { value, gradients } = engine.gradients((...at) => penalty(at, step), g);
    return { v: gradients, rest: value.sub(along(gradients, g)) };
  });
  return { slope: (part) => along(v, part), rest };
}

const sum = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => total.add(tensor));

const allClasses = ({ classes }: Source): number[] => classes.map((_, label) => label);

/** Consecutive classes with at most `imagesAtOnce` synthetic images together, at least one; all where images are tied. */
function classGroups(source: Source): number[][] {
  const { network } = source;
  const all = allClasses(source);
  if (network.statistics.length > 0) return [all];
  const size = Math.max(1, Math.floor(imagesAtOnce(network) / seenPerClass(source)));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** Synthetic images of a class that networks see, which the stored ones may be mosaics of. */
function seenPerClass({ imagesPerClass, partition }: Source): number {
  return imagesPerClass * (partition ? cellsOf(partition) : 1);
}

/** Stored images of consecutive classes. */
function imagesOf(classes: readonly number[], { images }: Learned, { imagesPerClass }: Source): Tensor {
  const [, ...shape] = images.shape;
  return images.slice([classes[0]! * imagesPerClass, 0, 0, 0], [classes.length * imagesPerClass, ...shape]);
}
