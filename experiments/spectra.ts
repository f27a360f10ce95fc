import { sizeOf } from "../src/core/shape.ts";
import { subset } from "../src/datasets/dataset.ts";
import { powerSpectrum } from "../src/evaluation/powerSpectrum.ts";
import type { Source } from "../src/objectives/objective.ts";

/** Power spectra of a run's images, spectra.json of its folder: position k holds k cycles per longer image edge. */
export interface Spectra {
  readonly real: ImageSpectra;
  readonly synthetic: ImageSpectra;
}

/** Mean power over the images of each class in label order, and over the classes, large and small alike. */
export interface ImageSpectra {
  readonly overall: readonly number[];
  readonly classes: readonly (readonly number[])[];
}

/** Real pixels to look at: a second's work. Classes have the same share of them, and of each the first images count. */
const REAL_PIXELS = 2 ** 23;

/**
 * Power spectra of the real images that a run learned from and of its synthetic ones, of pixels in [0, 1].
 *
 * @param images normalized, [m, height, width, channels], as the source's labels order them.
 */
export function spectraOf(
  { real, classes, labels }: Pick<Source, "real" | "classes" | "labels">,
  images: ArrayLike<number>,
): Spectra {
  const { imageShape, mean, std } = real;
  const [height, width, channels] = imageShape;
  const size = sizeOf(imageShape);
  const share = Math.max(1, Math.floor(REAL_PIXELS / (classes.length * height * width)));
  const ofReal = classes.map((members) => {
    const { pixels } = subset(real, members.subarray(0, share));
    return powerSpectrum(
      Float32Array.from(pixels, (byte) => byte / 255),
      imageShape,
    );
  });
  const ofSynthetic = classes.map((_, label) => {
    const members = Array.from(labels.keys()).filter((i) => labels[i] === label);
    const pixels = Float32Array.from({ length: members.length * size }, (_, at) => {
      const value = images[members[Math.floor(at / size)]! * size + (at % size)]!;
      return value * std[at % channels]! + mean[at % channels]!;
    });
    return powerSpectrum(pixels, imageShape);
  });
  return { real: overClasses(ofReal), synthetic: overClasses(ofSynthetic) };
}

function overClasses(classes: readonly (readonly number[])[]): ImageSpectra {
  const overall = classes[0]!.map(
    (_, k) => classes.reduce((sum, power) => sum + power[k]!, 0) / classes.length,
  );
  return { overall, classes };
}
