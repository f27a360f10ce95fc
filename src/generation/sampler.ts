import type { Tensor } from "../engines/index.ts";
import type { Parameters } from "../networks/index.ts";
import { predictedImages } from "./schedule.ts";
import type { UNet } from "./unet.ts";

/** A network that predicts noise, with its parameters. */
export interface Denoiser {
  readonly unet: UNet;
  readonly parameters: Parameters;
}

/**
 * The noise that a network sees in images of a class, guided away from what it sees without knowing the class (Ho and
 * Salimans, 2022):
 *
 *     ε̂ = ε_u + g (ε_c − ε_u)
 *
 * At g = 1 only ε_c is computed, at g = 0 only ε_u; else both in one pass of twice as many images.
 *
 * @param images x_t, [n, h, w, c]. @param at their time, and the class of each.
 */
export function guidedNoise(
  { unet, parameters }: Denoiser,
  images: Tensor,
  {
    time,
    labels,
    guidance,
  }: { readonly time: number; readonly labels: Int32Array; readonly guidance: number },
): Tensor {
  const { engine } = images;
  const n = labels.length;
  const none = new Int32Array(n).fill(unet.classes);
  if (guidance === 0 || guidance === 1) {
    const times = new Int32Array(n).fill(time);
    return unet.noise(parameters, images, { times, labels: guidance === 0 ? none : labels });
  }
  const both = unet.noise(parameters, engine.concat([images, images]), {
    times: new Int32Array(2 * n).fill(time),
    labels: Int32Array.of(...labels, ...none),
  });
  const shape = unet.imageShape;
  const told = both.slice([0, 0, 0, 0], [n, ...shape]);
  const untold = both.slice([n, 0, 0, 0], [n, ...shape]);
  return untold.add(told.sub(untold).mul(guidance));
}

/** Where a step of a sampler goes, and how. */
export interface SamplerStep {
  /** ᾱ_t of the images. */
  readonly bar: number;
  /** ᾱ_s of the step's result, larger; 1 for clean images. */
  readonly next: number;
  /** η, 0 for DDIM's way without dice, 1 for ancestral sampling. */
  readonly eta: number;
  /** Whether predicted images are held between black and white, −1 and 1, and the noise is what is then left. */
  readonly clip: boolean;
}

/**
 * A step of DDIM (Song et al., ICLR 2021, eq. 12):
 *
 *     x_s = √ᾱ_s x̂ + √(1 − ᾱ_s − σ²) ε̂ + σ z,   σ² = η² (1 − ᾱ_s)/(1 − ᾱ_t) · (1 − ᾱ_t/ᾱ_s)
 *
 * At η = 1 this is a step of the ancestral sampler of DDPM with the posterior's variance, over the times that are left.
 *
 * @param images x_t, [n, h, w, c]. @param noise ε̂, of the same shape. @param fresh z, of the same shape; read where σ > 0.
 */
export function denoised(images: Tensor, noise: Tensor, step: SamplerStep, fresh?: () => Tensor): Tensor {
  const { bar, next, clip } = step;
  const bars = new Float64Array(images.shape[0]!).fill(bar);
  const predicted = predictedImages(images, noise, bars);
  const clean = clip ? predicted.minimum(1).maximum(-1) : predicted;
  const left = clip ? images.sub(clean.mul(Math.sqrt(bar))).mul(1 / Math.sqrt(1 - bar)) : noise;
  const sigma = spreadOf(step);
  const moved = clean.mul(Math.sqrt(next)).add(left.mul(Math.sqrt(Math.max(0, 1 - next - sigma * sigma))));
  return sigma > 0 ? moved.add(fresh!().mul(sigma)) : moved;
}

/** σ of a step. */
export function spreadOf({ bar, next, eta }: SamplerStep): number {
  return eta * Math.sqrt(((1 - next) / (1 - bar)) * (1 - bar / next));
}
