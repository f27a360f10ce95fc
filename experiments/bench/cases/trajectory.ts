import type { Rng } from "../../../src/core/rng.ts";
import { drawAugmentation } from "../../../src/datasets/augment.ts";
import type { NamedArrays } from "../../../src/formats/array.ts";
import { trajectoryGradient } from "../../../src/objectives/trajectoryGradient.ts";
import type { BenchCase, Outcome } from "../benchCase.ts";
import {
  floatImages,
  imageShapeOf,
  labelsFrom,
  networkFor,
  type NetworkSetting,
  networkSettings,
  norm,
  parametersFrom,
  tensorFrom,
  weights,
} from "../inputs.ts";

type TrajectorySetting = NetworkSetting & {
  /** Synthetic images of each class; the student takes all of them in each step. */
  readonly perClass: number;
  /** Steps of the student. */
  readonly steps: number;
  /** β. */
  readonly stepSize: number;
};

export const trajectoryCase: BenchCase<TrajectorySetting> = {
  about: "an update of MTT: the student's steps, and the exact gradient in images and step size",
  peer: true,
  settings: {
    full: { "": { ...networkSettings.full, perClass: 10, steps: 10, stepSize: 0.02 } },
    small: { "": { ...networkSettings.small, perClass: 2, steps: 3, stepSize: 0.02 } },
  },
  inputs(setting, rng) {
    const start = weights(setting, rng.stream("network"));
    return {
      ...floatImages(setting, setting.perClass, rng.stream("images")),
      ...start,
      ...targetNear(start, weights(setting, rng.stream("target"), "target.")),
    };
  },
  program({ engine, arrays, setting, rng }) {
    const { steps, classes, perClass } = setting;
    const path = {
      network: networkFor(setting),
      start: parametersFrom(arrays, setting, engine),
      target: parametersFrom(arrays, setting, engine, "target."),
    };
    const synthetic = {
      images: tensorFrom(arrays, "images", engine),
      labels: labelsFrom(arrays, "synthetic_labels"),
      stepSize: engine.fill([], setting.stepSize),
    };
    const count = classes * perClass;
    const batch = (dice: Rng) => ({
      positions: dice.permutation(count),
      augmentation: drawAugmentation([], "siamese", imageShapeOf(setting), dice),
    });
    return {
      run: () =>
        engine.scope(() => {
          const batches = Array.from({ length: steps }, (_, i) => batch(rng.stream(`step/${i}`)));
          const { value, gradients } = trajectoryGradient({ ...path, batches }, synthetic);
          return { loss: value.item(), gradients };
        }),
      outcome: ({ loss, gradients }: Update): Outcome => ({
        loss,
        norms: { images: norm(gradients.images), stepSize: norm(gradients.stepSize) },
      }),
    };
  },
};

type Update = {
  readonly loss: number;
  readonly gradients: ReturnType<typeof trajectoryGradient>["gradients"];
};

/** Share of the way towards unrelated weights that the target lies at: about as far as the student goes. */
const WAY = 0.03;

/** The expert's later weights: the start, moved a little. */
function targetNear(start: NamedArrays, other: NamedArrays): NamedArrays {
  return Object.fromEntries(
    Object.entries(other).map(([name, { shape, data }]) => {
      const from = start[name.replace(/^target\./, "network.")]!.data as Float32Array;
      const towards = data as Float32Array;
      return [name, { shape, data: from.map((value, i) => value + WAY * (towards[i]! - value)) }];
    }),
  );
}
