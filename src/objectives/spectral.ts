import { z } from "zod";
import { kernelOf, squaredDistances, type StationaryKernel, stationaryKernels } from "../../kernels/index.ts";
import { choice } from "../core/options.ts";
import type { Tensor } from "../engines/index.ts";
import {
  type Characteristic,
  characteristicFunction,
  squaredAmplitude,
  unbiasedAmplitude,
} from "../losses/characteristic.ts";
import { rootSpectralDiscrepancy } from "../losses/rootSpectralDiscrepancy.ts";
import { spectralDiscrepancy } from "../losses/spectralDiscrepancy.ts";
import { bandwidth, bandwidthOptions, median, pairDistances } from "./bandwidth.ts";
import { type ClassStatistics, classWeights, classWeightsOf, meanSimilarity } from "./classWeights.ts";
import type { Source } from "./objective.ts";
import { type ClassFeatures, foldedMeans, rowsOf, type Term, termWeight } from "./term.ts";

/** Options of methods that compare characteristic functions. */
export const spectralOptions = z.strictObject({
  weight: termWeight,
  distance: z
    .enum(["squared", "root"])
    .default("squared")
    .describe(
      "Of the two functions at a frequency: the weighted square, as in CSDM, or its root, as in NCFM",
    ),
  kernel: choice(stationaryKernels, { name: "gaussian" }).describe(
    "Kernel whose law the frequencies come from; its scale is in units of the bandwidth",
  ),
  bandwidth: bandwidthOptions
    .prefault({})
    .describe("Unit of the kernel's scale, anew for each step's network"),
  features: z
    .enum(["raw", "unit"])
    .default("raw")
    .describe("Embeddings as they are, or each of length 1, as NCFM takes them with a fixed bandwidth of 1"),
  frequencies: z.int().min(1).default(1024).describe("f, drawn anew in each step and shared by all classes"),
  weighting: choice(classWeights, { name: "logarithmic" }).describe(
    "α of each class by its number of real images; noiseAware goes with the unbiased amplitudeTarget",
  ),
  amplitudeTarget: z
    .enum(["empirical", "unbiased"])
    .default("empirical")
    .describe("|P| as it is, or freed of the sampling noise that raises it in small classes"),
  lossScale: z
    .enum(["bandwidth", "none"])
    .default("bandwidth")
    .describe(
      "Times 2d/E‖ω‖² (of kernels where that is infinite, 2ℓ² in Euclidean length): at α = ½ and large bandwidth the loss " +
        "is then DM's, and learning rates carry over",
    ),
});

type SpectralOptions = z.infer<typeof spectralOptions>;

/**
 * Synthetic and real embeddings of each class shall have the same characteristic function, at frequencies ω drawn from a
 * kernel's spectral law, with amplitudes and phases weighed by class:
 *
 *     L = s · Σ_c 1/f Σ_ω D_c(ω)  or, at the root,  s · Σ_c 1/f Σ_ω √D_c(ω)
 *     D_c = α_c (|P_c| − |Q_c|)² + (1 − α_c) · 2|P_c||Q_c|(1 − cos(arg P_c − arg Q_c))
 *
 * where P_c and Q_c are those of f(A(R_c)) and f(A(S_c)), and s is the option lossScale. With α = ½ and s = 1 the expectation
 * of the first over ω is half the squared MMD of the kernel.
 */
export function spectralMatching(options: SpectralOptions): Term {
  const kernel = kernelOf(options.kernel);
  const alphaOf = classWeightsOf(options.weighting);
  const discrepancy = options.distance === "root" ? rootSpectralDiscrepancy : spectralDiscrepancy;
  const { rule, points } = options.bandwidth;
  return {
    weight: options.weight,
    ...(rule !== "fixed" && {
      pick: (count, rng) => rng.stream("bandwidth").permutation(count).subarray(0, points),
    }),
    prepare({ source, counts, picked }, rng) {
      const { width } = source.network;
      const seen = picked && featuresOf(options, picked);
      const { length, scale } = lengthAndScale(options, kernel, { width, points: seen });
      const inUnits = kernel.frequencies(options.frequencies, width, rng.stream("frequencies"));
      const frequencies = source.engine.tensor([options.frequencies, width], inUnits).div(length);
      const characteristic = ({ values, counts }: ClassFeatures): Characteristic =>
        characteristicFunction(featuresOf(options, values), frequencies, counts);
      return foldedMeans(counts, characteristic, (real) => {
        const alpha = alphaOf(classStatistics(real, counts, source));
        const target = options.amplitudeTarget === "unbiased" && unbiasedAmplitude(real, counts);
        return {
          loss(synthetic) {
            const { classes } = synthetic;
            const own = { re: rowsOf(real.re, classes), im: rowsOf(real.im, classes) };
            const weights = {
              amplitude: classes.map((label) => alpha[label]!),
              ...(target && { target: rowsOf(target, classes) }),
            };
            return discrepancy(own, characteristic(synthetic), weights).mul(scale);
          },
          metrics: { bandwidth: length, alphaFirst: alpha[0]!, alphaLast: alpha.at(-1)! },
        };
      });
    },
  };
}

function featuresOf({ features }: SpectralOptions, values: Tensor): Tensor {
  if (features === "raw") return values;
  const squaredLength = values.square().sum(1, true).maximum(SMALLEST_SQUARED_LENGTH);
  return values.div(squaredLength.sqrt());
}

/** Keeps an embedding that is zero everywhere at zero. */
const SMALLEST_SQUARED_LENGTH = 1e-24;

/**
 * A step's ℓ, in the kernel's own unit of distance, and its loss scale s: 2d/E‖ω‖², twice the squared length over which the
 * kernel falls off. Where that expectation is infinite, s is twice the squared Euclidean length that the kernel's scale
 * stands for.
 *
 * @param features.width d. @param features.points some of the real ones, [points, d]; absent where ℓ is fixed.
 */
function lengthAndScale(
  options: SpectralOptions,
  kernel: StationaryKernel,
  { width, points }: { readonly width: number; readonly points: Tensor | undefined },
): { readonly length: number; readonly scale: number } {
  const { factor } = options.bandwidth;
  const distances = points ? distancesBetween(points, kernel.lengthUnit) : new Float64Array(0);
  const length = bandwidth(options.bandwidth, distances);
  if (options.lossScale === "none") return { length, scale: 1 };
  const squaredFrequency = kernel.meanSquaredFrequency(width) / length ** 2;
  if (Number.isFinite(squaredFrequency)) return { length, scale: (2 * width) / squaredFrequency };
  const inEuclidean = (): Float64Array =>
    kernel.lengthUnit === "l2" ? distances : distancesBetween(points!, "l2");
  const euclidean = points ? factor * median(inEuclidean()) : length;
  return { length, scale: 2 * (options.kernel.scale * euclidean) ** 2 };
}

/** Each pair once. */
function distancesBetween(points: Tensor, unit: "l2" | "l1"): Float64Array {
  const [count, width] = points.shape as [number, number];
  // Millions of coordinate differences: the engine's matrix product for ‖·‖₂, a plain loop where there is none for it.
  if (unit === "l1") return pairDistances(points.values(), width, unit);
  const matrix = squaredDistances(points, points).sqrt().values();
  const pairs = new Float64Array((count * (count - 1)) / 2);
  let pair = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) pairs[pair++] = matrix[i * count + j]!;
  return pairs;
}

function classStatistics(
  phi: Characteristic,
  samples: readonly number[],
  { classes }: Source,
): ClassStatistics {
  return {
    counts: classes.map((members) => members.length),
    samples,
    // One rule reads it; the others need not wait for the device.
    get similarity() {
      const squared = squaredAmplitude(phi).mean(1).values();
      return samples.map((n, label) => meanSimilarity(squared[label]!, n));
    },
  };
}
