import type { Tensor } from "../engines/index.ts";

/** Features that a class had in the last steps, [≤ size, d]; null before the first. */
export type Memory = readonly (Tensor | null)[];

/** What representativeness and diversity are measured against, by class. */
export type Memories = {
  /** Of real images. */
  readonly real: Memory;
  /** Of predicted images, as constants. */
  readonly predicted: Memory;
};

/** Before the first step. */
export function emptyMemories(classes: number): Memories {
  const none = Array.from({ length: classes }, () => null);
  return { real: none, predicted: none };
}

/** Images of a step as features, with their classes. */
export interface ClassFeatures {
  /** [n, d]. */
  readonly features: Tensor;
  /** Class of each row, [n]. */
  readonly classes: Int32Array;
}

/**
 * The criteria of minimax diffusion (Gu et al., CVPR 2024; no such equation in the paper, which prints them as arg max and
 * arg min; from its code): of the class's worst pair of prediction and memory each,
 *
 *     representativeness = 1/k Σ_c (1 − min cos(x̂, m)),   m real
 *     diversity          = 1/k Σ_c max cos(x̂, m),         m predicted before
 *
 * over all pairs of a class, k the number of classes in the batch. A class that nothing is remembered of adds 0. Both are
 * to be made small: predictions near all real images, and unlike the last ones.
 *
 * @returns two scalars, differentiable in the predictions.
 */
export function minimaxCriteria(
  { features, classes }: ClassFeatures,
  memories: Memories,
): { readonly representativeness: Tensor; readonly diversity: Tensor } {
  const { engine } = features;
  const zero = engine.fill([], 0);
  let [representativeness, diversity] = [zero, zero];
  const present = rowsByClass(classes);
  for (const [label, rows] of present) {
    const unit = normalizedRows(features.gather(engine.indices(rows)));
    const [real, predicted] = [memories.real[label], memories.predicted[label]];
    if (real) representativeness = representativeness.add(largest(cosines(unit, real).neg()).add(1));
    if (predicted) diversity = diversity.add(largest(cosines(unit, predicted)));
  }
  const share = 1 / Math.max(1, present.size);
  return { representativeness: representativeness.mul(share), diversity: diversity.mul(share) };
}

/** Rows of each class that is there. */
function rowsByClass(classes: Int32Array): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  classes.forEach((label, row) => rows.set(label, [...(rows.get(label) ?? []), row]));
  return rows;
}

const cosines = (unit: Tensor, memory: Tensor): Tensor => unit.matMul(normalizedRows(memory).transpose());

/** Squared norms below it count as it: a row of zeros has cosine 0 with all others. */
const leastSquare = 1e-12;

function normalizedRows(x: Tensor): Tensor {
  return x.mul(x.square().sum(1, true).maximum(leastSquare).rsqrt());
}

/** The largest element, differentiable: `max` is a constant. */
function largest(table: Tensor): Tensor {
  const [rows, columns] = table.shape as [number, number];
  const flat = table.reshape([1, rows * columns]);
  return flat
    .reshape([rows * columns])
    .gather(flat.argmax(1))
    .reshape([]);
}

/**
 * Memories after a step: its features behind those that were there, of each class the last ones.
 *
 * @param size most that are kept of a class.
 */
export function remembered(
  memories: Memories,
  { real, predicted }: { readonly real: ClassFeatures; readonly predicted: ClassFeatures },
  size: number,
): Memories {
  return {
    real: appended(memories.real, real, size),
    predicted: appended(memories.predicted, predicted, size),
  };
}

function appended(memory: Memory, { features, classes }: ClassFeatures, size: number): Memory {
  const { engine } = features;
  const rows = rowsByClass(classes);
  return memory.map((before, label) => {
    const own = rows.get(label);
    if (!own) return before;
    const fresh = features.detach().gather(engine.indices(own));
    const all = before ? engine.concat([before, fresh]) : fresh;
    const [count, d] = all.shape as [number, number];
    return all.slice([Math.max(0, count - size), 0], [Math.min(size, count), d]);
  });
}
