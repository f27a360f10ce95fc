import { check } from "../core/errors.ts";
import { countOf, type Dataset, normalized } from "../datasets/dataset.ts";
import { mostAtOnce } from "../networks/network.ts";
import type { Model } from "../training/model.ts";
import { sampleGradients } from "../training/sampleGradients.ts";
import { pearson, spearman } from "./correlation.ts";

/** How difficult each of n images is, by means over an ensemble of networks; [n] each. */
export interface ImageDifficulty {
  /** GraDN: E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂, over all parameters; the mean of the norms, not the norm of the mean. */
  readonly gradn: Float64Array;
  /** χ = E_θ 1(argmax f_θ(x) ≠ y): share of the networks that misclassify the image, 0 to 1. */
  readonly misclassified: Float64Array;
  /** E_θ ℓ(f_θ(x), y), the cross-entropy. */
  readonly loss: Float64Array;
  /** EL2N: E_θ ‖softmax f_θ(x) − y‖₂ (Paul et al. 2021), the part of the gradient norm that logits alone tell. */
  readonly el2n: Float64Array;
}

const measures = ["gradn", "misclassified", "loss", "el2n"] as const satisfies (keyof ImageDifficulty)[];

/** What is scored. */
export interface ScoredImages {
  /** Images with their labels. */
  readonly dataset: Dataset;
  /** Weights of the classes in each image's cross-entropy, [n, classes], where these are not all on its label. */
  readonly softLabels?: Float32Array | undefined;
}

/**
 * The difficulty of each image under an ensemble: gradient norm, misclassification and loss. The networks' classifier is
 * their last layer. Batch norm uses running statistics.
 *
 * @param models one after another; a generator may make each as it is asked for, and free it then.
 * @throws InputError for no models, and for images or classes that are not theirs.
 */
export function imageDifficulty(models: Iterable<Model>, images: ScoredImages): ImageDifficulty {
  const each: ImageDifficulty[] = [];
  for (const model of models) {
    const scores = scoring(model, images);
    let next = scores.next();
    while (!next.done) next = scores.next();
    each.push(next.value);
  }
  return meanDifficulty(each);
}

/** The difficulty of images under one network, where χ is 0 or 1. Yields now and then how many images are done. */
export function* scoring(
  model: Model,
  { dataset, softLabels }: ScoredImages,
): Generator<number, ImageDifficulty> {
  const { imageShape, labels, classNames } = dataset;
  const { network } = model;
  check(
    String(imageShape) === String(network.imageShape) && classNames.length === network.classes,
    () =>
      `imageDifficulty: expected images of ${network.imageShape.join("×")} in ${network.classes} classes, as the network ` +
      `takes them, got ${imageShape.join("×")} in ${classNames.length}`,
  );
  const { engine } = model.parameters[0]!;
  const n = countOf(dataset);
  const found = Object.fromEntries(measures.map((name) => [name, new Float64Array(n)]));
  const { gradn, misclassified, loss, el2n } = found as unknown as ImageDifficulty;
  const classes = classNames.length;
  for (let begin = 0; begin < n; begin += mostAtOnce) {
    const count = Math.min(mostAtOnce, n - begin);
    const positions = Int32Array.from({ length: count }, (_, i) => begin + i);
    const { norms, squared, losses, predicted } = engine.scope(() => {
      const images = engine.tensor([count, ...imageShape], normalized(dataset, positions));
      const soft = softLabels?.subarray(begin * classes, (begin + count) * classes);
      const own = soft ? engine.tensor([count, classes], soft) : labels.subarray(begin, begin + count);
      return sampleGradients(model, { images, labels: own });
    });
    gradn.set(norms, begin);
    loss.set(losses, begin);
    // The gradient in the classifier's bias is softmax − y.
    el2n.set(squared.at(-1)!.map(Math.sqrt), begin);
    predicted.forEach((label, i) => (misclassified[begin + i] = label === labels[begin + i] ? 0 : 1));
    yield begin + count;
  }
  return { gradn, misclassified, loss, el2n };
}

/** Means over networks of what each finds. @throws InputError for none. */
export function meanDifficulty(each: readonly ImageDifficulty[]): ImageDifficulty {
  check(each.length > 0, () => "imageDifficulty: expected at least one model, got none");
  const averaged = measures.map((name) => [
    name,
    each[0]![name].map((_, i) => each.reduce((sum, one) => sum + one[name][i]!, 0) / each.length),
  ]);
  return Object.fromEntries(averaged) as unknown as ImageDifficulty;
}

/** How two measures go together over images. */
export interface Correlation {
  /** Of the values. */
  readonly pearson: number;
  /** Of the ranks. */
  readonly spearman: number;
}

/** How the measures of difficulty go together over some images; NaN where a measure does not vary. */
export interface DifficultyCorrelations {
  /** Images that count. */
  readonly images: number;
  /** GraDN with χ. */
  readonly gradnMisclassified: Correlation;
  /** GraDN with the loss. */
  readonly gradnLoss: Correlation;
  /** χ with the loss. */
  readonly misclassifiedLoss: Correlation;
  /** GraDN with EL2N. */
  readonly gradnEl2n: Correlation;
}

/**
 * Correlations between the measures of difficulty.
 *
 * @param positions of the images that count, 2 or more; by default all.
 */
export function difficultyCorrelations(
  difficulty: ImageDifficulty,
  positions: ArrayLike<number> = difficulty.gradn.map((_, i) => i),
): DifficultyCorrelations {
  const at = (name: keyof ImageDifficulty): Float64Array =>
    Float64Array.from(positions, (i) => difficulty[name][i]!);
  const between = (x: keyof ImageDifficulty, y: keyof ImageDifficulty): Correlation => ({
    pearson: pearson(at(x), at(y)),
    spearman: spearman(at(x), at(y)),
  });
  return {
    images: positions.length,
    gradnMisclassified: between("gradn", "misclassified"),
    gradnLoss: between("gradn", "loss"),
    misclassifiedLoss: between("misclassified", "loss"),
    gradnEl2n: between("gradn", "el2n"),
  };
}
