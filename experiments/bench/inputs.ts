import type { Rng } from "../../src/core/rng.ts";
import { type ImageShape, sizeOf } from "../../src/core/shape.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import type { HostArray, NamedArrays } from "../../src/formats/array.ts";
import { convNet, initialValues, type Network, type Parameters } from "../../src/networks/index.ts";

/** Images and the network that sees them. */
export type NetworkSetting = {
  readonly classes: number;
  readonly side: number;
  readonly channels: number;
  readonly width: number;
  readonly depth: number;
  /** Of every channel, by which bytes are normalized. */
  readonly mean: number;
  readonly std: number;
};

/** The network of the published comparisons, and one to see that everything works. */
export const networkSettings = {
  full: { classes: 10, side: 32, channels: 3, width: 128, depth: 3, mean: 0.5, std: 0.25 },
  small: { classes: 3, side: 16, channels: 3, width: 16, depth: 3, mean: 0.5, std: 0.25 },
} as const satisfies Record<string, NetworkSetting>;

export function networkFor(setting: NetworkSetting): Network {
  const { depth, width, classes } = setting;
  return convNet({ depth, width }, { imageShape: imageShapeOf(setting), classes });
}

export const imageShapeOf = ({ side, channels }: NetworkSetting): ImageShape => [side, side, channels];

/** Initial weights of the setting's network, as `prefix` and the parameter's name. */
export function weights(setting: NetworkSetting, rng: Rng, prefix = "network."): NamedArrays {
  return Object.fromEntries(
    networkFor(setting).parameters.map((spec) => [
      `${prefix}${spec.name}`,
      { shape: spec.shape, data: initialValues(spec, rng) },
    ]),
  );
}

/** The weights in a case's arrays, on an engine. */
export function parametersFrom(
  arrays: NamedArrays,
  setting: NetworkSetting,
  engine: Engine,
  prefix = "network.",
): Parameters {
  return networkFor(setting).parameters.map(({ name }) => tensorFrom(arrays, `${prefix}${name}`, engine));
}

export function tensorFrom(arrays: NamedArrays, name: string, engine: Engine): Tensor {
  const { shape, data } = arrayNamed(arrays, name);
  return engine.tensor(shape, data as Float32Array);
}

/** Images whose classes differ by the direction of a wave, under noise: bytes, class after class, and their labels. */
export function byteImages(setting: NetworkSetting, perClass: number, rng: Rng): NamedArrays {
  const shape = imageShapeOf(setting);
  const { side, channels, classes } = setting;
  const data = new Uint8Array(classes * perClass * sizeOf(shape));
  const labels = classMajor(classes, perClass);
  let at = 0;
  for (const label of labels) {
    const turn = (Math.PI * label) / classes;
    const phase = 2 * Math.PI * rng.uniform();
    for (let i = 0; i < side * side; i++) {
      const along = Math.cos(turn) * (i % side) + Math.sin(turn) * Math.floor(i / side);
      const wave = 128 + 60 * Math.sin(along + phase);
      for (let c = 0; c < channels; c++) data[at++] = wave + 120 * (rng.uniform() - 0.5);
    }
  }
  return {
    real: { shape: [labels.length, ...shape], data },
    labels: { shape: [labels.length], data: labels },
  };
}

/** Standard normal images, and labels class after class. */
export function floatImages(setting: NetworkSetting, perClass: number, rng: Rng): NamedArrays {
  const labels = classMajor(setting.classes, perClass);
  const shape = [labels.length, ...imageShapeOf(setting)];
  return {
    images: { shape, data: rng.fillNormal(new Float32Array(sizeOf(shape))) },
    synthetic_labels: { shape: [labels.length], data: labels },
  };
}

/** The byte images of a case as a data set. */
export function datasetFrom(arrays: NamedArrays, setting: NetworkSetting): Dataset {
  const { classes, channels, mean, std } = setting;
  return {
    name: "bench",
    classNames: Array.from({ length: classes }, (_, label) => `class ${label}`),
    imageShape: imageShapeOf(setting),
    pixels: arrayNamed(arrays, "real").data as Uint8Array,
    labels: labelsFrom(arrays, "labels"),
    mean: Array<number>(channels).fill(mean),
    std: Array<number>(channels).fill(std),
  };
}

export const labelsFrom = (arrays: NamedArrays, name: string): Int32Array =>
  arrayNamed(arrays, name).data as Int32Array;

/** ‖·‖₂ over all tensors together. */
export function norm(...tensors: readonly Tensor[]): number {
  return Math.hypot(...tensors.map((tensor) => Math.sqrt(tensor.square().sum().item())));
}

function arrayNamed(arrays: NamedArrays, name: string): HostArray {
  const found = arrays[name];
  if (found === undefined) throw new Error(`internal: the case has no array ${name}`);
  return found;
}

/** perClass times 0, then 1, … */
function classMajor(classes: number, perClass: number): Int32Array {
  return Int32Array.from({ length: classes * perClass }, (_, i) => Math.floor(i / perClass));
}
