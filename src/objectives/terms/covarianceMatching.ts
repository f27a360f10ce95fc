import { z } from "zod";
import type { Tensor } from "../../engines/index.ts";
import { covarianceDiscrepancy, covariancesOf, localMoments } from "../../losses/covarianceDiscrepancy.ts";
import { classMeans } from "../../losses/segments.ts";
import type { MatchingNetworks } from "../networkSources/index.ts";
import type { Source } from "../objective.ts";
import { foldedMeans, rowsOf, type Term, termWeight } from "../term.ts";

export const covarianceMatchingOptions = z.strictObject({
  weight: termWeight
    .unwrap()
    .default(0.01)
    .describe("Factor λ of the term; 0 leaves it out. IID's code has 0.01 on DM, and 0.03 on IDM"),
  locals: z
    .enum(["positions", "columns"])
    .default("positions")
    .describe(
      "Local features of a map: the channels at each of its height·width positions; or channels·height of them at each " +
        "column, whose covariances are height² times larger",
    ),
});

type Options = z.infer<typeof covarianceMatchingOptions>;

/**
 * Covariance matching (IID, Deng et al., CVPR 2024): the local features of a class's real and synthetic images, columns of
 * the last feature map of the step's network, shall vary together in the same way:
 *
 *     L = Σ_c ‖ Cov_c(f(A_c(R_c))) − Cov_c(f(A_c(S_c))) ‖²
 *
 * as `localCovariances` has them. Real images are taken in as sums of Tᵢ Tᵢᵀ and Tᵢ, and their features not kept.
 */
export function covarianceMatchingTerm({ weight, locals }: Options): Term {
  return {
    weight,
    prepare({ source, counts, networks }) {
      const [features, places] = localShape(locals, source, networks);
      const localsOf = (values: Tensor): Tensor => values.reshape([values.shape[0]!, features, places]);
      return foldedMeans(
        counts,
        (real) => ({
          means: classMeans(real.values, real.counts),
          moments: localMoments(localsOf(real.values), real.counts).reshape([
            real.counts.length,
            features ** 2,
          ]),
        }),
        ({ means, moments }) => {
          const square = moments.reshape([counts.length, features, features]);
          const covariances = covariancesOf(square, localsOf(means));
          return {
            loss: ({ values, classes, counts }) =>
              covarianceDiscrepancy(rowsOf(covariances, classes), localsOf(values), counts),
          };
        },
      );
    },
  };
}

/** Number of local features, and of places where they are. */
function localShape(
  locals: Options["locals"],
  { engine, network, real }: Source,
  { parameters }: MatchingNetworks,
): readonly [features: number, places: number] {
  const { channels, width } = network;
  if (locals === "positions") return [channels, width / channels];
  // An embedding has lost the height of its map. Two images, which batch norm needs.
  const columns = engine.scope(
    () => network.featureMap(parameters, engine.fill([2, ...real.imageShape], 0)).shape[2]!,
  );
  return [width / columns, columns];
}
