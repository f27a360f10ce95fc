import { sizeOf } from "../src/core/shape.ts";
import { subset } from "../src/datasets/dataset.ts";
import { highFrequencyEnergy, powerSpectrum } from "../src/evaluation/powerSpectrum.ts";
import { decodedValues } from "../src/datasets/partition.ts";
import type { Source } from "../src/objectives/objective.ts";

/** Power spectra of a run's images, spectra.json of its folder: position k holds k cycles per longer image edge. */
export interface Spectra {
  /** Height and width of the images; absent in files of earlier versions. */
  readonly edges?: readonly [height: number, width: number];
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
 * Power spectra of the real images that a run learned from and of its synthetic ones, of pixels in [0, 1]; of mosaics, of
 * the images that networks see.
 *
 * @param images normalized, [m, height, width, channels], as the source's labels order them.
 */
export function spectraOf(
  { real, classes, labels, partition }: Pick<Source, "real" | "classes" | "labels" | "partition">,
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
    // By class, so that all decoded images are never there at once.
    return powerSpectrum(partition ? decodedValues(pixels, imageShape, partition) : pixels, imageShape);
  });
  return { edges: [height, width], real: overClasses(ofReal), synthetic: overClasses(ofSynthetic) };
}

/**
 * High-frequency energy of synthetic images over that of real ones, overall and of each class; NaN where the real ones
 * have none. Without `edges` images count as square, with as many frequencies as the spectra have.
 */
export function highFrequencyRatios({ edges, real, synthetic }: Spectra): {
  readonly overall: number;
  readonly classes: readonly number[];
} {
  const edge = 2 * finestOf(real.overall.length);
  const shape = edges ?? ([edge, edge] as const);
  const ratio = (ours: readonly number[], theirs: readonly number[]): number => {
    const energy = highFrequencyEnergy(theirs, shape);
    return energy > 0 ? highFrequencyEnergy(ours, shape) / energy : NaN;
  };
  return {
    overall: ratio(synthetic.overall, real.overall),
    classes: real.classes.map((theirs, label) => ratio(synthetic.classes[label]!, theirs)),
  };
}

/** The finest grating along the edge of a square image, N/2 cycles, by how many distances k = 0 … N/√2 its spectrum has. */
export function finestOf(distances: number): number {
  return Math.round((distances - 1) / Math.SQRT2);
}

function overClasses(classes: readonly (readonly number[])[]): ImageSpectra {
  const overall = classes[0]!.map(
    (_, k) => classes.reduce((sum, power) => sum + power[k]!, 0) / classes.length,
  );
  return { overall, classes };
}
