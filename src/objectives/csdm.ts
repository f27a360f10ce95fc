import { z } from "zod";
import { kernelOf, squaredDistances, type StationaryKernel, stationaryKernels } from "../../kernels/index.ts";
import { choice } from "../core/options.ts";
import type { Rng } from "../core/rng.ts";
import type { Tensor } from "../engines/index.ts";
import {
  type Characteristic,
  characteristicFunction,
  squaredAmplitude,
  unbiasedAmplitude,
} from "../losses/characteristic.ts";
import { spectralDiscrepancy } from "../losses/spectralDiscrepancy.ts";
import { bandwidth, bandwidthOptions, median, pairDistances } from "./bandwidth.ts";
import { type ClassStatistics, classWeights, classWeightsOf, meanSimilarity } from "./classWeights.ts";
import { type ClassFeatures, distributionMatching, distributionOptions, type Term } from "./distribution.ts";
import type { Objective, Source } from "./objective.ts";

export const csdmOptions = distributionOptions.extend({
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

type CsdmOptions = z.infer<typeof csdmOptions>;

/**
 * Class-aware spectral distribution matching (CSDM, arXiv 2603.01698): synthetic and real embeddings of each class shall
 * have the same characteristic function, at frequencies ω drawn from a kernel's spectral law, with amplitudes weighing
 * more in head classes and phases more in tail classes:
 *
 *     L = s · Σ_c 1/f Σ_ω [ α_c (|P_c| − |Q_c|)² + (1 − α_c) · 2|P_c||Q_c|(1 − cos(arg P_c − arg Q_c)) ]
 *
 * where P_c and Q_c are those of f(A(R_c)) and f(A(S_c)), and s is the option lossScale. With α = ½ and s = 1 the expectation
 * over ω is half the squared MMD of the kernel. The paper leaves its optimizer, network source and count of frequencies
 * open; here they are DM's, and options.
 */
export function csdm(options: CsdmOptions): Objective {
  const kernel = kernelOf(options.kernel);
  const alphaOf = classWeightsOf(options.weighting);
  const spectral: Term = {
    weight: 1,
    prepare(raw, source, rng) {
      const real = featuresOf(options, raw);
      const points = somePoints(options, real, rng.stream("bandwidth"));
      const length = kernelLength(options, kernel, points);
      const frequencies = drawnFrequencies(options, kernel, { real, length, rng: rng.stream("frequencies") });
      const realPhi = characteristicFunction(real.values, frequencies, real.counts);
      const amplitude = alphaOf(classStatistics(realPhi, real, source));
      const target =
        options.amplitudeTarget === "unbiased" ? { target: unbiasedAmplitude(realPhi, real.counts) } : {};
      const scale = lossScale(options, kernel, { points, length });
      return {
        loss(synthetic) {
          const { values, counts } = featuresOf(options, synthetic);
          const phi = characteristicFunction(values, frequencies, counts);
          return spectralDiscrepancy(realPhi, phi, { amplitude, ...target }).mul(scale);
        },
        metrics: { bandwidth: length, alphaFirst: amplitude[0]!, alphaLast: amplitude.at(-1)! },
      };
    },
  };
  return distributionMatching("csdm", [spectral], options);
}

function featuresOf({ features }: CsdmOptions, { values, counts }: ClassFeatures): ClassFeatures {
  if (features === "raw") return { values, counts };
  const squaredLength = values.square().sum(1, true).maximum(SMALLEST_SQUARED_LENGTH);
  return { values: values.div(squaredLength.sqrt()), counts };
}

/** Keeps an embedding that is zero everywhere at zero. */
const SMALLEST_SQUARED_LENGTH = 1e-24;

/** Some of the step's real features, that distances are taken between, [points, d]. */
function somePoints({ bandwidth: { points } }: CsdmOptions, { values }: ClassFeatures, rng: Rng): Tensor {
  const chosen = rng.permutation(values.shape[0]!).subarray(0, points);
  return values.gather(values.engine.indices(chosen));
}

/** ℓ, from distances in the kernel's own unit. */
function kernelLength(
  { bandwidth: rule }: CsdmOptions,
  { lengthUnit }: StationaryKernel,
  points: Tensor,
): number {
  if (rule.rule === "fixed") return rule.factor;
  // Millions of coordinate differences: the engine's matrix product for ‖·‖₂, a plain loop where there is none for it.
  const distances =
    lengthUnit === "l2" ? euclideanDistances(points) : pairDistances(points.values(), points.shape[1]!, "l1");
  return bandwidth(rule, distances);
}

const euclideanDistances = (points: Tensor): Float64Array =>
  belowDiagonal(squaredDistances(points, points).sqrt());

function belowDiagonal(matrix: Tensor): Float64Array {
  const size = matrix.shape[0]!;
  const values = matrix.values();
  const entries = new Float64Array((size * (size - 1)) / 2);
  for (let i = 0, at = 0; i < size; i++) for (let j = 0; j < i; j++) entries[at++] = values[i * size + j]!;
  return entries;
}

/** ω at length ℓ: those of the kernel in units of ℓ, divided by it, [f, d]. */
function drawnFrequencies(
  { frequencies: count }: CsdmOptions,
  kernel: StationaryKernel,
  { real, length, rng }: { readonly real: ClassFeatures; readonly length: number; readonly rng: Rng },
): Tensor {
  const { engine, shape } = real.values;
  const width = shape[1]!;
  return engine.tensor([count, width], kernel.frequencies(count, width, rng)).div(length);
}

function classStatistics(
  phi: Characteristic,
  { counts: samples }: ClassFeatures,
  { classes }: Source,
): ClassStatistics {
  const squared = squaredAmplitude(phi).mean(1).values();
  return {
    counts: classes.map((members) => members.length),
    samples,
    similarity: samples.map((n, label) => meanSimilarity(squared[label]!, n)),
  };
}

/**
 * 2d/E‖ω‖², the squared length over which the kernel falls off, twice. Where that expectation is infinite, twice the
 * squared Euclidean length that the kernel's scale stands for.
 */
function lossScale(
  { lossScale: rule, bandwidth: { rule: unit, factor }, kernel: { scale } }: CsdmOptions,
  kernel: StationaryKernel,
  { points, length }: { readonly points: Tensor; readonly length: number },
): number {
  if (rule === "none") return 1;
  const width = points.shape[1]!;
  const squaredFrequency = kernel.meanSquaredFrequency(width) / length ** 2;
  if (Number.isFinite(squaredFrequency)) return (2 * width) / squaredFrequency;
  const euclidean = unit === "fixed" ? length : factor * median(euclideanDistances(points));
  return 2 * (scale * euclidean) ** 2;
}
