import { z } from "zod";
import { kernelOf, type Lengths, meanScale, stationaryKernels, structures } from "../../kernels/index.ts";
import { check } from "../core/errors.ts";
import { choice } from "../core/options.ts";
import type { Rng } from "../core/rng.ts";
import type { Tensor } from "../engines/index.ts";
import { bandwidthOptions, lengthMetrics, lengthsOf, pickOf } from "./bandwidth.ts";
import { classWeights } from "./classWeights.ts";
import { featuresOf, featuresOption } from "./features.ts";
import { learningFold } from "./learnedFrequencies.ts";
import type { Source } from "./objective.ts";
import { samplingNetworkOf, samplings } from "./samplingNetwork.ts";
import { comparisonWith, spectralComparison } from "./spectralComparison.ts";
import { foldedMeans, type Term, termWeight } from "./term.ts";

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
  features: featuresOption,
  frequencies: z.int().min(1).default(1024).describe("f, drawn anew in each step and shared by all classes"),
  structure: z
    .enum(["independent", ...(Object.keys(structures) as (keyof typeof structures)[])])
    .default("independent")
    .describe(
      "Of radial kernels' frequencies: each by itself, or evenly spread in blocks of d; docs/performance.md has gain and cost",
    ),
  sampling: choice(samplings, { name: "fixed" }).describe(
    "Frequencies by the kernel's law, or by scale mixtures of it that a network learns against the images (NCFM's ψ)",
  ),
  weighting: choice(classWeights, { name: "logarithmic" }).describe(
    "α of each class by its number of real images; noiseAware goes with the unbiased amplitudeTarget",
  ),
  amplitudeTarget: z
    .enum(["empirical", "unbiased"])
    .default("empirical")
    .describe("|P| as it is, or freed of the sampling noise that raises it in small classes"),
  estimator: z
    .enum(["biased", "unbiased"])
    .default("biased")
    .describe(
      "Of the squared distance, for α = ½ alone: with the noise that finite samples add, or without, which takes 2 images of a class",
    ),
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
  checkOptions(options);
  const network = samplingNetworkOf(options.sampling, options.frequencies);
  return {
    weight: options.weight,
    ...pickOf(options.bandwidth, options.kernel),
    ...(network && { begin: (source, rng) => network.begin(source, rng) }),
    prepare(real, rng) {
      const { source, counts, picked } = real;
      const { width } = source.network;
      const seen = picked && featuresOf(picked, options.features);
      const lengths = lengthsOf(options.bandwidth, options.kernel, seen);
      const scale = options.lossScale === "none" ? 1 : 2 * meanScale(options.kernel, width, lengths);
      const frequencies = drawnFrequencies(options, lengths, source, rng.stream("frequencies"));
      const comparison = spectralComparison(options, real, { scale, metrics: lengthMetrics(lengths) });
      if (network) {
        const sampled = network.draw(frequencies, real.state, rng.stream("sampling"));
        return learningFold(comparison, sampled, { counts, weight: options.weight });
      }
      return foldedMeans(
        counts,
        (features) => comparison.characteristic(features, frequencies),
        (phi) => comparisonWith(phi, frequencies, comparison),
      );
    },
  };
}

/** What no step could do is said before the first. */
function checkOptions({ kernel, structure, distance, estimator }: SpectralOptions): void {
  const { name, radial } = kernelOf(kernel);
  check(
    structure === "independent" || radial,
    () =>
      `structure: expected independent for products over coordinates, got ${structure} with the kernel ${name}; ` +
      "radial kernels take it, such as matern12 for laplacian or cauchy for cauchyProduct",
  );
  check(
    estimator === "biased" || distance === "squared",
    () =>
      "estimator: expected biased for the root of a distance; the unbiased one is of the squared distance",
  );
}

function drawnFrequencies(options: SpectralOptions, lengths: Lengths, source: Source, rng: Rng): Tensor {
  const { kernel, frequencies, structure } = options;
  const { width } = source.network;
  const directions = structure === "independent" ? undefined : structures[structure];
  const omega = kernelOf(kernel, lengths).frequencies(frequencies, width, rng, directions);
  return source.engine.tensor([frequencies, width], omega);
}
