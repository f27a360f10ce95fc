import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  type Characteristic,
  characteristicFunction,
  squaredAmplitude,
  squaredDifference,
  unbiasedAmplitude,
  unbiasedSquaredAmplitude,
} from "../../src/losses/characteristic.ts";
import { rootSpectralDiscrepancy } from "../../src/losses/rootSpectralDiscrepancy.ts";
import { spectralDiscrepancy, unbiasedSpectralDiscrepancy } from "../../src/losses/spectralDiscrepancy.ts";
import { centralDifferences, dmCase, expectSixDigits, sampleX, sampleY, sineTensor } from "./cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const x = engine.tensor([4, 5], sampleX);
const y = engine.tensor([3, 5], sampleY);
const frequencies = sineTensor(engine, [6, 5], [0.5, 0.2, 0.9, 0]);
const p = characteristicFunction(x, frequencies);
const q = characteristicFunction(y, frequencies);
const meanSquare = squaredDifference(p, q).mean().item();

/** Loss of the synthetic features at one α, as a function of them. */
const lossAt = (alpha: number) => (at: Tensor) =>
  spectralDiscrepancy(p, characteristicFunction(at, frequencies), { amplitude: [alpha] });
const gradientAt = (alpha: number): Tensor => engine.gradients(lossAt(alpha), [y]).gradients[0]!;
const largest = (difference: Tensor): number => difference.abs().max().item();

describe("against reference values", () => {
  const cases = dmCase<Record<string, number[]> & Record<`grad_${string}`, number[][]>>("B");
  const scalar = (key: string): number => cases[key] as unknown as number;

  test("characteristic functions and amplitudes", () => {
    expectSixDigits(p.re.values(), cases.P_re!);
    expectSixDigits(p.im.values(), cases.P_im!);
    expectSixDigits(q.re.values(), cases.Q_re!);
    expectSixDigits(q.im.values(), cases.Q_im!);
    expectSixDigits(squaredAmplitude(p).sqrt().values(), cases.absP!);
    expectSixDigits(squaredAmplitude(q).sqrt().values(), cases.absQ!);
    expectSixDigits(squaredDifference(p, q).values(), cases.sdd_per_freq!);
  });

  test("amplitude part, phase part and their weighted sum", () => {
    expectSixDigits([lossAt(1)(y).item()], scalar("amp_mean"));
    expectSixDigits([lossAt(0)(y).item()], scalar("phase_mean"));
    expectSixDigits([lossAt(0.8)(y).item()], scalar("weighted_alpha*amp+(1-alpha)*phase_mean"));
    expectSixDigits([meanSquare], scalar("sdd_mean"));
  });

  test("the unbiased squared distance", () => {
    const got = unbiasedSpectralDiscrepancy(p, q, { real: [4], synthetic: [3] });
    expectSixDigits([got.item()], scalar("sdd_unbiased_mean(U-corrected both sides)"));
  });

  test("gradients", () => {
    for (const [alpha, factor, key] of [
      [0.5, 2, "grad_sdd_mean_wrt_Y"],
      [0.8, 1, "grad_weighted_mean_wrt_Y"],
    ] as const) {
      expectSixDigits(gradientAt(alpha).mul(factor).values(), cases[key].flat());
    }
  });

  test("near zero amplitude", () => {
    const { amp, phase, ...others } = dmCase<{ amp: number; phase: number } & Record<string, number[]>>("M");
    const [, gradient] = Object.entries(others).find(([key]) => key.startsWith("grad_wrt_Q"))!;
    const point = (re: number, im: number): Characteristic => ({
      re: engine.tensor([1, 1], [re]),
      im: engine.tensor([1, 1], [im]),
    });
    const real = point(0.3, -0.2);
    const at = (alpha: number, epsilon: number): number =>
      spectralDiscrepancy(real, point(1e-9, 2e-9), { amplitude: [alpha], epsilon }).item();
    expectSixDigits([at(1, 1e-12)], amp);
    expect(Math.abs(at(0, 1e-12) - phase)).toBeLessThan(1e-12); // below the rounding of 0.13
    const { gradients } = engine.gradients(
      (re, im) => spectralDiscrepancy(real, { re, im }, { amplitude: [0.8], epsilon: 1e-6 }),
      [engine.tensor([1, 1], [1e-9]), engine.tensor([1, 1], [2e-9])],
    );
    expectSixDigits(
      gradients.map((g) => g.item()),
      gradient,
    );
  });
});

test("the root of it, on unit features, agrees with reference values of NCFM", () => {
  const unit = (rows: Tensor): Tensor => rows.div(rows.square().sum(1, true).sqrt());
  const [a, b] = [unit(x), unit(y)].map((rows) => characteristicFunction(rows, frequencies));
  const loss = rootSpectralDiscrepancy(a!, b!, { amplitude: [0.5] }).item();
  expectSixDigits([loss], dmCase<{ ncfd: number }>("C").ncfd);
  const meanRoot = squaredDifference(a!, b!).sqrt().mean().item();
  expect(loss).toBeCloseTo(meanRoot / Math.SQRT2, 10);
});

test("the root has a finite gradient where the functions meet", () => {
  const { value, gradients } = engine.gradients(
    (at) => rootSpectralDiscrepancy(p, characteristicFunction(at, frequencies), { amplitude: [0.5] }),
    [x],
  );
  expect(value.item()).toBeLessThan(1e-6);
  expect(Array.from(gradients[0]!.values()).every(Number.isFinite)).toBe(true);
});

describe.each([0, 0.05, 0.5, 0.8, 1])("at α = %d", (alpha) => {
  test("the derivative agrees with central differences", () => {
    const numeric = centralDifferences((v) => lossAt(alpha)(engine.tensor([3, 5], v)).item(), y.values());
    numeric.forEach((value, i) => expect(gradientAt(alpha).values()[i]).toBeCloseTo(value, 8));
  });

  test("the loss lies within min(α, 1 − α) and max(α, 1 − α) times the squared distance", () => {
    const value = lossAt(alpha)(y).item();
    expect(value).toBeGreaterThanOrEqual(Math.min(alpha, 1 - alpha) * meanSquare - 1e-15);
    expect(value).toBeLessThanOrEqual(Math.max(alpha, 1 - alpha) * meanSquare + 1e-15);
  });

  test("the loss is zero on the same sample in any order", () => {
    expect(Math.abs(lossAt(alpha)(x.gather(engine.indices([3, 1, 0, 2]))).item())).toBeLessThan(1e-15);
  });
});

test("at α = ½ it is half the squared distance", () => {
  expect(lossAt(0.5)(y).item()).toBeCloseTo(meanSquare / 2, 15);
});

test("at α = 1 shifting the synthetic features changes nothing", () => {
  const shift = engine.tensor([1, 5], [3, -1, 0.2, 7, 1]);
  expect(lossAt(1)(y.add(shift)).item()).toBeCloseTo(lossAt(1)(y).item(), 11);
});

test("near convergence nothing cancels in float32: the loss shrinks as the square of the step", () => {
  const single = torchEngine({ dtype: "float32" });
  const at = (engineOf: typeof engine, by: number): number => {
    const real = engineOf.tensor([4, 5], sampleX);
    const omega = engineOf.tensor([6, 5], frequencies.values());
    const phi = characteristicFunction(real, omega);
    const moved = { re: phi.re.add(by), im: phi.im.sub(2 * by) };
    return spectralDiscrepancy(phi, moved, { amplitude: [0.8] }).item();
  };
  for (const by of [2 ** -6, 2 ** -10]) expect(at(single, by) / at(engine, by)).toBeCloseTo(1, 3);
  single.close();
});

test("classes stacked together lose and move as they do apart, of different sizes too", () => {
  const counts = { real: [4, 2, 3], synthetic: [1, 3, 2] };
  const real = engine.tensor([9, 5], seeded(2).stream("real").fillNormal(new Float64Array(45)));
  const synthetic = engine.tensor([6, 5], seeded(2).stream("synthetic").fillNormal(new Float64Array(30)));
  const amplitude = [0.8, 0.5, 0.1];
  const all = characteristicFunction(real, frequencies, counts.real);
  const target = unbiasedAmplitude(all, counts.real);
  for (const weights of [{ amplitude }, { amplitude, target }]) {
    const loss = (at: Tensor): Tensor =>
      spectralDiscrepancy(all, characteristicFunction(at, frequencies, counts.synthetic), weights);
    const apart = (at: Tensor): Tensor => {
      let [r, s] = [0, 0];
      const losses = amplitude.map((alpha, label) => {
        const [n, m] = [counts.real[label]!, counts.synthetic[label]!];
        const one = characteristicFunction(real.slice([r, 0], [n, 5]), frequencies);
        const other = characteristicFunction(at.slice([s, 0], [m, 5]), frequencies);
        const own = "target" in weights ? { target: unbiasedAmplitude(one, [n]) } : {};
        [r, s] = [r + n, s + m];
        return spectralDiscrepancy(one, other, { amplitude: [alpha], ...own });
      });
      return losses.reduce((sum, term) => sum.add(term));
    };
    const [together, alone] = [loss, apart].map((f) => engine.gradients(f, [synthetic]));
    expect(together!.value.item()).toBeCloseTo(alone!.value.item(), 13);
    expect(largest(together!.gradients[0]!.sub(alone!.gradients[0]!))).toBeLessThan(1e-15);
  }
});

test("a target amplitude equal to the real one changes nothing", () => {
  const target = squaredAmplitude(p).add(1e-12).sqrt();
  const withTarget = spectralDiscrepancy(p, q, { amplitude: [0.7], target });
  expect(withTarget.item()).toBeCloseTo(lossAt(0.7)(y).item(), 14);
});

test("the unbiased amplitude averages to the law's, where the plain one is raised by noise", () => {
  const rng = seeded(21);
  const omega = engine.tensor([1, 1], [1.5]);
  const truth = Math.exp(-(1.5 ** 2)); // |Φ|² of N(0, 1)
  const rounds = 2000;
  const samples = Array.from({ length: rounds }, () =>
    characteristicFunction(engine.tensor([5, 1], rng.fillNormal(new Float64Array(5))), omega),
  );
  const average = (values: number[], of: number): [number, number] => {
    const mean = values.reduce((sum, v) => sum + v, 0) / rounds;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rounds;
    return [Math.abs(mean - of), Math.sqrt(variance / rounds)];
  };
  const [miss, error] = average(
    samples.map((phi) => unbiasedSquaredAmplitude(phi, [5]).item()),
    truth,
  );
  expect(miss).toBeLessThan(5 * error);
  const [raised, spread] = average(
    samples.map((phi) => squaredAmplitude(phi).item()),
    truth,
  );
  expect(raised).toBeGreaterThan(5 * spread);
});

test("of one sample the unbiased amplitude is zero, and stays it", () => {
  const one = characteristicFunction(y.slice([0, 0], [1, 5]), frequencies);
  expect(unbiasedAmplitude(one, [1]).abs().max().item()).toBe(0);
  const { gradients } = engine.gradients(
    (re, im) => unbiasedAmplitude({ re: re!, im: im! }, [1]).sum(),
    [one.re, one.im],
  );
  gradients.forEach((gradient) => expect(gradient.abs().max().item()).toBeCloseTo(0, 15));
});

test("is never negative", () => {
  const number = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.array(number, { minLength: 15, maxLength: 15 }), (values) => {
      const other = engine.tensor([3, 5], values);
      expect(lossAt(0.8)(other).item()).toBeGreaterThanOrEqual(0);
    }),
    { seed: 9, numRuns: 50 },
  );
});

test("classes, frequencies and weights must fit", () => {
  const two = characteristicFunction(x, frequencies, [1, 3]);
  expect(() => spectralDiscrepancy(p, two, { amplitude: [0.5] })).toThrow("classes is both 1 and 2");
  expect(() => spectralDiscrepancy(p, q, { amplitude: [0.5, 0.5] })).toThrow("classes is both 1 and 2");
  expect(() => spectralDiscrepancy(p, q, { amplitude: [1.2] })).toThrow("expected 0 to 1, got 1.2");
  expect(() => characteristicFunction(x, frequencies, [3])).toThrow("expected 4 rows");
  expect(() => characteristicFunction(x, engine.fill([6, 4], 0))).toThrow("d is both 5 and 4");
  expect(() => unbiasedSpectralDiscrepancy(p, q, { real: [4], synthetic: [1] })).toThrow(
    "expected at least 2 samples of each class, got 1",
  );
});
