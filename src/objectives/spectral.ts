import { z } from "zod";
import { kernelOf, meanScale, stationaryKernels } from "../../kernels/index.ts";
import { choice } from "../core/options.ts";
import { bandwidthOptions, lengthMetrics, lengthsOf, pickOf } from "./bandwidth.ts";
import { classWeights } from "./classWeights.ts";
import { featuresOf, featuresOption } from "./features.ts";
import { learningFold } from "./learnedFrequencies.ts";
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
      const omega = kernelOf(options.kernel, lengths).frequencies(
        options.frequencies,
        width,
        rng.stream("frequencies"),
      );
      const frequencies = source.engine.tensor([options.frequencies, width], omega);
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
