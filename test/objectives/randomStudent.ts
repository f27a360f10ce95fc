import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { drawAugmentation, parseStrategy } from "../../src/datasets/augment.ts";
import { type Engine, isTensor, type Tensor } from "../../src/engines/index.ts";
import type { ParameterGradient } from "../../src/losses/gradientDistance.ts";
import { convNet, type ConvNetOptions, initialTensors } from "../../src/networks/index.ts";
import {
  type Penalty,
  type Synthetic,
  type Trajectory,
  trajectoryLoss,
  type TrajectoryOptions,
} from "../../src/objectives/trajectory.ts";
import { parameterGradient } from "../../src/training/parameterGradient.ts";

/** A student, its synthetic images, and an expert's segment. */
export interface Task {
  readonly trajectory: Trajectory;
  readonly synthetic: Synthetic;
}

export interface StudentSetting {
  readonly steps: number;
  /** Images of a mini-batch, up to 6: of each step, or of one after another. */
  readonly batch: number | readonly number[];
  readonly soft: boolean;
  readonly augmented?: boolean;
  /** Parameters that are compared. */
  readonly compared?: number;
  readonly network?: Partial<ConvNetOptions>;
  /** Default: the steps. */
  readonly seed?: number;
}

/** Six random images, and an expert that went four steps on others. */
export function randomStudent(
  on: Engine,
  { steps, batch, soft, augmented = false, compared, network: options = {}, seed = steps }: StudentSetting,
): Task {
  const rng = seeded(seed);
  const normal = (shape: Shape): Tensor => on.tensor(shape, rng.fillNormal(new Float64Array(sizeOf(shape))));
  const network = convNet({ depth: 2, width: 4, ...options }, { imageShape: [8, 8, 3], classes: 3 });
  const labels = Int32Array.of(0, 0, 1, 1, 2, 2);
  const start = initialTensors(network.parameters, on, rng);
  let target: readonly Tensor[] = start;
  for (let i = 0; i < 4; i++) {
    const gradient = parameterGradient(network, target, { images: normal([6, 8, 8, 3]), labels });
    target = target.map((part, k) => part.sub(gradient[k]!.mul(0.1)));
  }
  const strategy = augmented ? parseStrategy("color_crop_cutout_flip_scale_rotate") : [];
  const batches = Array.from({ length: steps }, (_, i) => {
    const size = typeof batch === "number" ? batch : batch[i]!;
    return {
      positions: rng.permutation(6).subarray(0, size),
      augmentation: drawAugmentation(strategy, size, [8, 8, 3], rng),
    };
  });
  return {
    trajectory: { network, start, target, batches, ...(compared && { compared }) },
    synthetic: {
      images: normal([6, 8, 8, 3]),
      labels: soft ? normal([6, 3]).logSoftmax().exp() : labels,
      stepSize: on.fill([1], 0.1),
    },
  };
}

/** The gradients by differentiating the unrolled loss: in images, step size and, where they are soft, labels. */
export function unrolled(
  { trajectory, synthetic }: Task,
  options: TrajectoryOptions = {},
): { value: Tensor; gradients: readonly Tensor[] } {
  const { images, labels, stepSize } = synthetic;
  return images.engine.gradients(
    (x, beta, y) => trajectoryLoss(trajectory, { images: x!, stepSize: beta!, labels: y ?? labels }, options),
    [images, stepSize, ...(isTensor(labels) ? [labels] : [])],
  );
}

const squaredNorm = (gradient: ParameterGradient): Tensor =>
  gradient.map((part) => part.square().sum()).reduce((total, part) => total.add(part));

/** λ ‖g‖₂. */
export const norm =
  (weight: number): Penalty =>
  (gradient) =>
    squaredNorm(gradient).sqrt().mul(weight);
