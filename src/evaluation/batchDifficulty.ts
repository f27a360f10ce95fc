import { check } from "../core/errors.ts";
import { disposeExcept, type Tensor } from "../engines/index.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import type { Model } from "../training/model.ts";
import { accumulated, lossGradient } from "../training/parameterGradient.ts";

/** Images whose difficulty is measured together. */
export interface LabeledImages {
  /** Normalized, [n, h, w, c]. */
  readonly images: Tensor;
  /** Class of each image, [n]. */
  readonly labels: Int32Array;
  /** Weights of the classes in each image's cross-entropy, [n, classes], where these are not all on its class. */
  readonly softLabels?: Tensor | undefined;
}

/** How difficult a set is for a network as a whole. */
export interface BatchDifficulty {
  /** ‖∇_θ ℓ(θ; S)‖₂ over all parameters, ℓ the mean cross-entropy on all images S. */
  readonly difficulty: number;
  /** The same norm on each class's images S_c alone, averaged over the classes: what class-wise gradient matching meets. */
  readonly difficultyPerClass: number;
  /** Share of the images whose largest logit is not that of their class. */
  readonly misclassified: number;
  /** ℓ(θ; S). */
  readonly syntheticLoss: number;
}

/**
 * The batch gradient norm of a set, its share of misclassified images and its mean loss under one network. The norm is what
 * the difficulty of synthetic images is tracked and corrected by; it is smaller than the mean of the norms of single images,
 * since their gradients cancel in part. One pass over the images gives both norms:
 *
 *     ∇_θ ℓ(θ; S) = Σ_c |S_c|/|S| ∇_θ ℓ(θ; S_c)
 *
 * which holds because batch norm uses running statistics here, so that images do not interact.
 *
 * @throws InputError for no images, for as many labels as there are not images, and for a label that is no class.
 */
export function batchDifficulty(model: Model, set: LabeledImages): BatchDifficulty {
  const { engine } = set.images;
  const n = set.images.shape[0]!;
  check(
    n > 0 && set.labels.length === n,
    () => `batchDifficulty: expected a label for each of 1 or more images, got ${set.labels.length} for ${n}`,
  );
  return engine.scope(() => {
    let whole: ParameterGradient | undefined;
    const classes = classPositions(set.labels).map((positions) => {
      const share = positions.length / n;
      const { gradient, ...own } = engine.scope(() => onPositions(model, set, positions));
      const next = engine.scope(() =>
        accumulated(
          whole,
          gradient.map((part) => part.mul(share)),
        ),
      );
      disposeExcept([gradient, whole ?? []], next);
      whole = next;
      return { ...own, share };
    });
    const total = (value: (one: (typeof classes)[number]) => number): number =>
      classes.reduce((sum, one) => sum + value(one), 0);
    return {
      difficulty: norm(whole!),
      difficultyPerClass: total((one) => one.norm) / classes.length,
      misclassified: total(({ wrong }) => wrong) / n,
      syntheticLoss: total(({ loss, share }) => share * loss),
    };
  });
}

/** Positions of each class's images, of the classes that have some. */
function classPositions(labels: Int32Array): Int32Array[] {
  const positions = new Map<number, number[]>();
  labels.forEach((label, i) => positions.set(label, [...(positions.get(label) ?? []), i]));
  return [...positions].sort(([a], [b]) => a - b).map(([, own]) => Int32Array.from(own));
}

/** What the images of one class come to. */
interface ClassBatch {
  readonly gradient: ParameterGradient;
  readonly norm: number;
  /** How many are misclassified. */
  readonly wrong: number;
  readonly loss: number;
}

function onPositions(
  { network, parameters, statistics }: Model,
  { images, labels, softLabels }: LabeledImages,
  positions: Int32Array,
): ClassBatch {
  const { engine } = images;
  const rows = engine.indices(positions);
  const label = labels[positions[0]!]!;
  let wrong = 0;
  const { value, gradients } = lossGradient(network, parameters, {
    images: images.gather(rows),
    labels: softLabels ? softLabels.gather(rows) : new Int32Array(positions.length).fill(label),
    mode: { use: "running", statistics },
    onLogits(logits) {
      const predicted = logits.argmax(1).values();
      wrong += predicted.filter((one) => one !== label).length;
    },
  });
  return { gradient: gradients, norm: norm(gradients), wrong, loss: value.item() };
}

/** Over all tensors together. */
function norm(gradient: ParameterGradient): number {
  const { engine } = gradient[0]!;
  const squares = engine.scope(() =>
    engine.concat(gradient.map((part) => part.square().sum().reshape([1]))).values(),
  );
  return Math.sqrt(Array.from(squares).reduce((sum, square) => sum + square, 0));
}
