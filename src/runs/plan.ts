import type { Dataset } from "../datasets/dataset.ts";
import { whiteningOn } from "../datasets/whitening.ts";
import type { Engine } from "../engines/index.ts";
import { disposeTestSet, type TestSet, testSet } from "../evaluation/accuracy.ts";
import type { EvaluationPlan } from "../evaluation/evaluate.ts";
import type { Space } from "./space.ts";
import { decodedSet, type StoredSet } from "./storedSet.ts";

/** A plan with its tensors, which whoever made it frees. */
export interface OpenPlan extends EvaluationPlan {
  dispose(): void;
}

/**
 * The evaluation of a set on an engine: its images, of mosaics the cells, with soft labels and learning rate where it has them, and the real
 * test images in the space of its own.
 */
export function planOf(
  set: StoredSet,
  test: Dataset,
  { network, protocol }: Pick<EvaluationPlan, "network" | "protocol">,
  engine: Engine,
): OpenPlan {
  const { images, imageShape, labels, softLabels, learningRate } = decodedSet(set);
  const n = labels.length;
  const tested = testSetIn(set, test, engine);
  const tensor = engine.tensor([n, ...imageShape], images);
  const soft = softLabels && engine.tensor([n, softLabels.length / n], softLabels);
  return {
    network,
    images: tensor,
    labels: soft ?? labels,
    test: tested,
    protocol,
    ...(learningRate !== undefined && { learningRate }),
    dispose() {
      tensor.dispose();
      soft?.dispose();
      disposeTestSet(tested);
    },
  };
}

/** Test images normalized, and whitened, by the constants of a space. */
export function testSetIn({ mean, std, whitening }: Space, test: Dataset, engine: Engine): TestSet {
  const normalized = testSet({ ...test, mean, std }, engine);
  if (!whitening) return normalized;
  const map = whiteningOn(engine, whitening);
  const batches = normalized.batches.map((batch) => engine.scope(() => map.of(batch)));
  disposeTestSet(normalized);
  map.dispose();
  return { ...normalized, batches };
}
