import { check } from "../core/errors.ts";
import { bind } from "../core/shape.ts";
import { isTensor, type Tensor } from "../engines/index.ts";

/**
 * Mean cross-entropy of a classifier's predictions:
 *
 *     L = −1/n Σᵢ Σ_c yᵢc log softmax(logitsᵢ)_c
 *
 * @param logits [n, k].
 * @param labels hard ones, n whole numbers from 0 to k − 1; or soft ones, [n, k], rows of probabilities, in which the
 *   loss is differentiable too.
 * @returns scalar, twice differentiable.
 * @throws InputError for a label out of range, or another number of labels than of logits.
 */
export function crossEntropy(logits: Tensor, labels: Int32Array | Tensor): Tensor {
  return weightedLogarithms(logits, labels).sum().div(-logits.shape[0]!);
}

/** The cross-entropy of every prediction by itself, −Σ_c yᵢc log softmax(logitsᵢ)_c, [n]; otherwise as `crossEntropy`. */
export function crossEntropies(logits: Tensor, labels: Int32Array | Tensor): Tensor {
  return weightedLogarithms(logits, labels).sum(1).neg();
}

function weightedLogarithms(logits: Tensor, labels: Int32Array | Tensor): Tensor {
  const { n, k } = bind("crossEntropy", [logits, "n k"]);
  const targets = isTensor(labels) ? labels : logits.engine.tensor([n!, k!], oneHot(labels, n!, k!));
  bind("crossEntropy", [logits, "n k"], [targets, "n k"]);
  return logits.logSoftmax().mul(targets);
}

/** Rows with a 1 at each label, [n, k]. */
function oneHot(labels: Int32Array, n: number, k: number): Float32Array {
  check(
    labels.length === n,
    () => `crossEntropy: expected ${n} labels, one for each row, got ${labels.length}`,
  );
  const rows = new Float32Array(n * k);
  labels.forEach((label, i) => {
    check(label >= 0 && label < k, () => `crossEntropy: expected labels from 0 to ${k - 1}, got ${label}`);
    rows[i * k + label] = 1;
  });
  return rows;
}
