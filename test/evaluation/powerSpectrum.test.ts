import { describe, expect, test } from "@jest/globals";
import { fourierTransform } from "../../src/core/fourier.ts";
import { seeded } from "../../src/core/rng.ts";
import { highFrequencyEnergy, powerSpectrum, ringSizes } from "../../src/evaluation/powerSpectrum.ts";

const lengths = [1, 2, 3, 4, 5, 7, 8, 12, 28, 31, 32, 96, 100];

function noise(count: number, name = "noise"): Float64Array {
  const rng = seeded(5).stream(name);
  return Float64Array.from({ length: count }, () => rng.uniform());
}

describe("the Fourier transform", () => {
  test.each(lengths)("of length %i is the sum by which it is defined", (n) => {
    const [re, im] = [noise(n, "re"), noise(n, "im")];
    const [a, b] = [re.slice(), im.slice()];
    fourierTransform(n)(a, b);
    for (let u = 0; u < n; u++) {
      let [real, imaginary] = [0, 0];
      for (let x = 0; x < n; x++) {
        const angle = (-2 * Math.PI * u * x) / n;
        real += re[x]! * Math.cos(angle) - im[x]! * Math.sin(angle);
        imaginary += re[x]! * Math.sin(angle) + im[x]! * Math.cos(angle);
      }
      expect(a[u]).toBeCloseTo(real, 10);
      expect(b[u]).toBeCloseTo(imaginary, 10);
    }
  });

  test("is the same when a plan is used again", () => {
    const transform = fourierTransform(28);
    const [first, second] = [noise(28), noise(28)];
    transform(first, new Float64Array(28));
    transform(noise(28, "other"), noise(28, "another"));
    transform(second, new Float64Array(28));
    expect(second).toEqual(first);
  });

  test("needs a length", () => {
    expect(() => fourierTransform(0)).toThrow("fourierTransform: n: expected a whole number >= 1, got 0");
    expect(() => fourierTransform(2.5)).toThrow("got 2.5");
  });
});

describe("the power spectrum", () => {
  test.each([
    [32, 32, 3],
    [28, 28, 1],
    [6, 10, 2],
  ] as const)("of %i × %i images of %i channels holds the power of all pixels (Parseval)", (h, w, c) => {
    const count = 4;
    const images = noise(count * h * w * c);
    const sizes = ringSizes(h, w);
    const inRings = powerSpectrum(images, [h, w, c]).reduce((sum, power, k) => sum + power * sizes[k]!, 0);
    const inPixels = images.reduce((sum, value) => sum + value * value, 0) / (count * c);
    expect(inRings).toBeCloseTo(inPixels, 9);
    expect(sizes.reduce((a, b) => a + b)).toBe(h * w);
  });

  test.each([28, 32])("of a wave lies in the ring of its frequency alone, at size %i", (n) => {
    const [u, v] = [3, 4]; // 5 cycles per edge
    const wave = Float64Array.from({ length: n * n }, (_, at) =>
      Math.cos((2 * Math.PI * (u * (at % n) + v * Math.floor(at / n))) / n),
    );
    const power = powerSpectrum(wave, [n, n, 1]);
    // Σ f² = n²/2, spread over the ring.
    power.forEach((value, k) => {
      expect(value).toBeCloseTo(k === 5 ? (n * n) / 2 / ringSizes(n, n)[5]! : 0, 10);
    });
  });

  test("of a gray image is its square at 0: |F(0)|²/(hw) = hw · g²", () => {
    const power = powerSpectrum(new Float64Array(25).fill(0.5), [5, 5, 1]);
    expect(power[0]).toBeCloseTo(25 * 0.25, 12);
    expect(Math.max(...power.slice(1))).toBeCloseTo(0, 12);
  });

  test("of white noise is its variance at every frequency, within 5 standard errors", () => {
    const [count, n] = [200, 12];
    const rng = seeded(6);
    const images = rng.fillNormal(new Float64Array(count * n * n));
    const sizes = ringSizes(n, n);
    powerSpectrum(images, [n, n, 1]).forEach((power, k) => {
      // |F|²/n² has mean 1 and variance 2 where F is real, else 1 with half of the ring independent: at most 2 either way.
      expect(Math.abs(power - 1)).toBeLessThan(5 * Math.sqrt(2 / (count * sizes[k]!)));
    });
  });

  test("averages over images and channels", () => {
    const [a, b] = [noise(64, "a"), noise(64, "b")];
    const [ofA, ofB] = [powerSpectrum(a, [8, 8, 1]), powerSpectrum(b, [8, 8, 1])];
    const mean = ofA.map((value, k) => expect.closeTo((value + ofB[k]!) / 2, 12) as unknown);
    const interleaved = Float64Array.from({ length: 128 }, (_, at) => (at % 2 === 0 ? a : b)[at >> 1]!);
    expect(powerSpectrum([...a, ...b], [8, 8, 1])).toEqual(mean);
    expect(powerSpectrum(interleaved, [8, 8, 2])).toEqual(mean);
  });

  test("needs whole images", () => {
    expect(() => powerSpectrum([1, 2, 3], [2, 2, 1])).toThrow(
      "expected images of 4 values each, at least one, got 3",
    );
    expect(() => powerSpectrum([], [2, 2, 1])).toThrow("got 0 values");
  });
});

describe("high-frequency energy", () => {
  const grating = (n: number, cycles: number): Float64Array =>
    Float64Array.from({ length: n * n }, (_, at) => Math.cos((2 * Math.PI * cycles * (at % n)) / n));

  test.each([
    [16, 1, 0],
    [16, 4, 0],
    [16, 5, 128],
    [16, 8, 256],
    [15, 3, 0],
    [15, 4, 112.5],
  ])(
    "of a grating on %i pixels is all of Σ f² above N/4 cycles, none up to there: %i has %f",
    (n, cycles, energy) => {
      expect(highFrequencyEnergy(powerSpectrum(grating(n, cycles), [n, n, 1]), [n, n])).toBeCloseTo(
        energy,
        9,
      );
    },
  );

  test("grows with the square of the contrast and does not see the mean gray", () => {
    const images = noise(2 * 12 * 8);
    const energy = (scale: number, gray: number): number =>
      highFrequencyEnergy(
        powerSpectrum(
          images.map((value) => scale * value + gray),
          [12, 8, 1],
        ),
        [12, 8],
      );
    expect(energy(1, 0)).toBeGreaterThan(0);
    expect(energy(3, 5)).toBeCloseTo(9 * energy(1, 0), 9);
  });
});
