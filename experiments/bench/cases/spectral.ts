import { sizeOf } from "../../../src/core/shape.ts";
import type { Rng } from "../../../src/core/rng.ts";
import type { Tensor } from "../../../src/engines/index.ts";
import type { HostArray } from "../../../src/formats/array.ts";
import { characteristicFunction } from "../../../src/losses/characteristic.ts";
import { spectralDiscrepancy } from "../../../src/losses/spectralDiscrepancy.ts";
import type { BenchCase } from "../benchCase.ts";
import { norm, tensorFrom } from "../inputs.ts";

type SpectralSetting = {
  readonly classes: number;
  /** Images of all classes together. */
  readonly images: number;
  readonly frequencies: number;
  /** Width of an embedding. */
  readonly width: number;
};

/** α where classes are balanced. */
const ALPHA = 0.5;

export const spectralCase: BenchCase<SpectralSetting> = {
  about: "characteristic functions, spectral distance and its gradient in the embeddings, alone",
  peer: false,
  settings: {
    full: grid({ images: [640, 1280, 2560], frequencies: [256, 1024, 4096], width: 2048 }),
    small: grid({ images: [40, 80], frequencies: [32], width: 64 }),
  },
  inputs({ images, frequencies, width, classes }, rng) {
    // Angles ⟨ω, x⟩ of some radians, as at the median bandwidth.
    const deviation = 1 / Math.sqrt(width);
    return {
      real: normal([classes, width], rng.stream("real"), 1),
      synthetic: normal([images, width], rng.stream("synthetic"), 1),
      frequencies: normal([frequencies, width], rng.stream("frequencies"), deviation),
    };
  },
  program({ engine, arrays, setting: { classes, images } }) {
    const counts = Array<number>(classes).fill(images / classes);
    const frequencies = tensorFrom(arrays, "frequencies", engine);
    const synthetic = tensorFrom(arrays, "synthetic", engine);
    const real = characteristicFunction(
      tensorFrom(arrays, "real", engine),
      frequencies,
      counts.map(() => 1),
    );
    const weights = { amplitude: counts.map(() => ALPHA) };
    return {
      run: () =>
        engine.scope(() => {
          const { value, gradients } = engine.gradients(
            (features) =>
              spectralDiscrepancy(real, characteristicFunction(features, frequencies, counts), weights),
            [synthetic],
          );
          return { loss: value.item(), gradient: gradients[0]! };
        }),
      outcome: ({ loss, gradient }: { readonly loss: number; readonly gradient: Tensor }) => ({
        loss,
        norms: { features: norm(gradient) },
      }),
    };
  },
};

/** A setting for each pair, named "IMAGESxFREQUENCIES". */
function grid(lengths: {
  readonly images: readonly number[];
  readonly frequencies: readonly number[];
  readonly width: number;
}): Readonly<Record<string, SpectralSetting>> {
  const { width } = lengths;
  const settings = lengths.images.flatMap((images) =>
    lengths.frequencies.map((frequencies) => ({ classes: 10, images, frequencies, width })),
  );
  return Object.fromEntries(settings.map((one) => [`${one.images}x${one.frequencies}`, one]));
}

function normal(shape: readonly number[], rng: Rng, deviation: number): HostArray {
  const data = rng.fillNormal(new Float32Array(sizeOf(shape)));
  return { shape, data: deviation === 1 ? data : data.map((value) => deviation * value) };
}
