import { sizeOf } from "../../../src/core/shape.ts";
import type { Rng } from "../../../src/core/rng.ts";
import { drawAugmentation } from "../../../src/datasets/augment.ts";
import type { Tensor } from "../../../src/engines/index.ts";
import type { NamedArrays } from "../../../src/formats/array.ts";
import type { Synthetic, Trajectory } from "../../../src/objectives/trajectory.ts";
import {
  type TrajectoryGradient,
  trajectoryGradient,
  unrolledGradient,
} from "../../../src/objectives/trajectoryGradient.ts";
import type { BenchCase, Given, Outcome, Program, Size } from "../benchCase.ts";
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

/** An update: its loss, and its gradients in images and step size. */
type Update = { readonly loss: number; readonly images: Tensor; readonly stepSize: Tensor };

/** A way to the gradients. */
type Route = (trajectory: Trajectory, synthetic: Synthetic) => TrajectoryGradient;

/** By the recursion, with or without what earlier steps do to later parameters. */
const recursion =
  (throughPath: boolean): Route =>
  (trajectory, synthetic) =>
    trajectoryGradient(trajectory, synthetic, { throughPath });

/** What distinguishes one case of trajectory matching from another. */
interface Kind {
  readonly about: string;
  readonly peer: boolean;
  readonly route: Route;
  readonly settings: Readonly<Record<Size, Readonly<Record<string, TrajectorySetting>>>>;
}

const caseOf = ({ route, ...kind }: Kind): BenchCase<TrajectorySetting> => ({
  ...kind,
  inputs(setting, rng) {
    const start = weights(setting, rng.stream("network"));
    return {
      ...floatImages(setting, setting.perClass, rng.stream("images")),
      ...start,
      ...targetNear(start, weights(setting, rng.stream("target"), "target.")),
    };
  },
  program: (given) => programOf(route, given),
});

function programOf(
  route: Route,
  { engine, arrays, setting, rng }: Given<TrajectorySetting>,
): Program<Update> {
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
        const { value, gradients } = route({ ...path, batches }, synthetic);
        return { loss: value.item(), ...gradients };
      }),
    outcome: ({ loss, images, stepSize }): Outcome => ({
      loss,
      norms: { images: norm(images), stepSize: norm(stepSize) },
    }),
  };
}

export const trajectoryCase = caseOf({
  about: "an update of MTT: the student's steps, and the exact gradient in images and step size",
  peer: true,
  route: recursion(true),
  settings: {
    full: { "": { ...networkSettings.full, perClass: 10, steps: 10, stepSize: 0.02 } },
    small: { "": { ...networkSettings.small, perClass: 2, steps: 3, stepSize: 0.02 } },
  },
});

/** By the student's steps: one image of each class, as papers distil CIFAR-10. */
const byLength = {
  full: Object.fromEntries(
    [10, 40, 80].map((steps) => [
      String(steps),
      { ...networkSettings.full, perClass: 1, steps, stepSize: 0.01 },
    ]),
  ),
  small: { "6": { ...networkSettings.small, perClass: 1, steps: 6, stepSize: 0.01 } },
} satisfies Kind["settings"];

/** Parameters that the recursion keeps: those after each step, float32. */
const keptBytes = (setting: TrajectorySetting): number =>
  4 * setting.steps * networkFor(setting).parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);

/** The three gradients at students of growing length: what they cost, and what they hold. */
export const exactCase: BenchCase<TrajectorySetting> = {
  ...caseOf({
    about: "exact gradients by the recursion, for 10, 40 and 80 steps; the peer unrolls them",
    peer: true,
    route: recursion(true),
    settings: byLength,
  }),
  keptBytes,
};

export const teslaCase: BenchCase<TrajectorySetting> = {
  ...caseOf({
    about: "TESLA's gradients, for as many steps; the peer takes TESLA's two passes",
    peer: true,
    route: recursion(false),
    settings: byLength,
  }),
  keptBytes,
};

export const unrollCase = caseOf({
  about: "exact gradients by differentiating the loss through all steps at once, as many of them",
  peer: false,
  route: unrolledGradient,
  settings: byLength,
});

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
