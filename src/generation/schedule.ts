import { z } from "zod";
import type { Engine, Tensor } from "../engines/index.ts";

export const scheduleOptions = z.strictObject({
  law: z.enum(["cosine", "linear"]).default("cosine").describe("How the noise grows over the times"),
  times: z.int().min(2).default(1000).describe("T, times between an image and noise"),
});

export type ScheduleOptions = z.infer<typeof scheduleOptions>;

/** β is held below 1, so that every ᾱ stays above 0. */
const mostNoise = 0.999;
/** Of the cosine law: keeps the first β from being too small. */
const cosineOffset = 0.008;

/**
 * ᾱ_t = Π_{i ≤ t} (1 − β_i), the share of an image's variance that is left at time t = 0 … T − 1.
 *
 *     linear   β from 10⁻⁴ to 0.02 in equal steps, both times 1000/T (Ho et al., NeurIPS 2020)
 *     cosine   β_t = 1 − f((t + 1)/T)/f(t/T), f(u) = cos²(π/2 · (u + s)/(1 + s)), s = 0.008 (Nichol and Dhariwal, ICML 2021)
 *
 * and β ≤ 0.999 in both.
 *
 * @returns [T], falling, each in (0, 1).
 */
export function alphaBars({ law, times }: ScheduleOptions): Float64Array {
  const bars = new Float64Array(times);
  let bar = 1;
  for (let t = 0; t < times; t++) {
    bar *= 1 - Math.min(mostNoise, betaLaws[law](t, times));
    bars[t] = bar;
  }
  return bars;
}

const cosine = (u: number): number =>
  Math.cos(((u + cosineOffset) / (1 + cosineOffset)) * (Math.PI / 2)) ** 2;

const betaLaws: Readonly<Record<ScheduleOptions["law"], (t: number, times: number) => number>> = {
  cosine: (t, times) => 1 - cosine((t + 1) / times) / cosine(t / times),
  linear: (t, times) => (1000 / times) * (1e-4 + ((0.02 - 1e-4) * t) / (times - 1)),
};

/**
 * Times that a sampler of fewer steps goes through, ascending: round(k (T − 1)/(steps − 1)), k = 0 … steps − 1. Of one
 * step, the last time.
 *
 * @param steps 1 to T.
 */
export function respaced(times: number, steps: number): Int32Array {
  if (steps === 1) return Int32Array.of(times - 1);
  return Int32Array.from({ length: steps }, (_, k) => Math.round((k * (times - 1)) / (steps - 1)));
}

/**
 * Images at their times, x_t = √ᾱ_t x + √(1 − ᾱ_t) ε.
 *
 * @param images x, [n, h, w, c]. @param noise ε, of the same shape. @param bars ᾱ_t of each image, [n].
 */
export function noised(images: Tensor, noise: Tensor, bars: ArrayLike<number>): Tensor {
  const { engine } = images;
  return images.mul(column(engine, bars, Math.sqrt)).add(noise.mul(column(engine, bars, noiseScale)));
}

/**
 * The clean images that a prediction of their noise implies, x̂ = (x_t − √(1 − ᾱ_t) ε̂)/√ᾱ_t, not clipped.
 *
 * @param at x_t, [n, h, w, c]. @param noise ε̂, of the same shape. @param bars ᾱ_t of each image, [n].
 */
export function predictedImages(at: Tensor, noise: Tensor, bars: ArrayLike<number>): Tensor {
  const { engine } = at;
  return at
    .sub(noise.mul(column(engine, bars, noiseScale)))
    .mul(column(engine, bars, (bar) => 1 / Math.sqrt(bar)));
}

const noiseScale = (bar: number): number => Math.sqrt(1 - bar);

/** One number for each image, [n, 1, 1, 1]. */
function column(engine: Engine, bars: ArrayLike<number>, of: (bar: number) => number): Tensor {
  return engine.tensor([bars.length, 1, 1, 1], Array.from(bars, of));
}
