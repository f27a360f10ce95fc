import { expect, test } from "@jest/globals";
import { finestOf, highFrequencyRatios, type Spectra, spectraOf } from "../../experiments/spectra.ts";
import { classIndices, type Dataset, normalized } from "../../src/datasets/dataset.ts";
import { decodedValues } from "../../src/datasets/partition.ts";
import { powerSpectrum } from "../../src/evaluation/powerSpectrum.ts";

const count = 7;
const real: Dataset = {
  name: "toy",
  classNames: ["a", "b"],
  imageShape: [6, 5, 3],
  pixels: Uint8Array.from({ length: count * 90 }, (_, at) => (at * at * 31) % 251),
  labels: Int32Array.from([0, 1, 0, 0, 1, 0, 0]),
  mean: [0.4, 0.5, 0.6],
  std: [0.2, 0.25, 0.3],
};
const source = { real, classes: classIndices(real), labels: Int32Array.from(real.labels) };
const spectra = spectraOf(source, normalized(real, [0, 1, 2, 3, 4, 5, 6]));

test("synthetic images that are the real ones have their spectra", () => {
  spectra.real.overall.forEach((power, k) => expect(spectra.synthetic.overall[k]).toBeCloseTo(power, 5));
  expect(spectra.real.overall[1]).toBeGreaterThan(0);
});

test("spectra are of pixels in [0, 1], class by class", () => {
  const ofB = [1, 4].flatMap((i) =>
    Array.from(real.pixels.subarray(i * 90, (i + 1) * 90), (byte) => byte / 255),
  );
  powerSpectrum(ofB, [6, 5, 3]).forEach((power, k) => {
    expect(spectra.real.classes[1]![k]).toBeCloseTo(power, 5);
    expect(spectra.synthetic.classes[1]![k]).toBeCloseTo(power, 5);
  });
});

test("classes weigh the same however many images they have", () => {
  const [a, b] = spectra.real.classes as [number[], number[]];
  expect(spectra.real.overall).toEqual(a.map((power, k) => (power + b[k]!) / 2));
});

test("the high-frequency ratio of images to themselves is 1, and of the same at twice the contrast 4", () => {
  const own = highFrequencyRatios(spectra);
  [own.overall, ...own.classes].forEach((ratio) => expect(ratio).toBeCloseTo(1, 5));
  const doubled = spectraOf(
    source,
    normalized(real, [0, 1, 2, 3, 4, 5, 6]).map((value) => 2 * value),
  );
  highFrequencyRatios(doubled).classes.forEach((ratio) => expect(ratio).toBeCloseTo(4, 4));
});

test("real images without any high frequency have no ratio", () => {
  const flat = { overall: [1, 0, 0], classes: [[1, 0, 0]] };
  const none: Spectra = {
    edges: [4, 4],
    real: flat,
    synthetic: { overall: [1, 1, 1], classes: [[1, 1, 1]] },
  };
  expect(highFrequencyRatios(none)).toEqual({ overall: NaN, classes: [NaN] });
});

test.each([28, 32, 64, 96])("the edge of a square image of %i is known from its spectrum", (edge) => {
  const distances = powerSpectrum(new Float64Array(edge * edge).fill(1), [edge, edge, 1]).length;
  expect(finestOf(distances)).toBe(edge / 2);
});

test("spectra of mosaics are those of the images that networks see", () => {
  const images = Float32Array.from({ length: 4 * 72 }, (_, i) => Math.sin(i * i));
  const shape = [6, 4, 3] as const;
  const partition = { factor: 2, order: "columns" } as const;
  const ofShape = { ...real, imageShape: shape, pixels: new Uint8Array(count * 72) };
  const classes = classIndices(ofShape);
  const mosaics = { real: ofShape, classes, labels: Int32Array.of(0, 1, 0, 1), partition };
  const whole = { real: ofShape, classes, labels: Int32Array.from({ length: 16 }, (_, i) => (i >> 2) & 1) };
  const expected = spectraOf(whole, decodedValues(images, shape, partition)).synthetic;
  const got = spectraOf(mosaics, images).synthetic;
  got.classes.forEach((power, c) =>
    power.forEach((value, k) => expect(value).toBeCloseTo(expected.classes[c]![k]!, 6)),
  );
  expect(got.overall[1]).toBeGreaterThan(0);
});
