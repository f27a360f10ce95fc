import { mean, type PairedDifference, pairedDifference } from "../../src/evaluation/statistics.ts";

/** What one distillation came to: the accuracies of its evaluation networks, by their seeds. */
export interface Distillation {
  readonly seed: number;
  readonly networks: ReadonlyMap<number, number>;
}

/** Two measurements, paired by seed. */
export interface Pairing {
  /** Over the distillation seeds that both have; none without such a seed. */
  readonly difference: PairedDifference | undefined;
  /** Distillation seeds that only one of the two has, or that have no evaluation seed in common. */
  readonly unpairedSeeds: number;
  /** Networks of paired distillations whose evaluation seed only one of the two has. */
  readonly unpairedNetworks: number;
}

/**
 * The first minus the second. A pair is two distillations of one seed: they begin with the same images and see the same
 * batches. Their networks share evaluation seeds too, so the accuracy of each side is the mean over the networks that
 * both have. Networks are no pairs of their own: those of one distillation say nothing of how distillations differ.
 */
export function pairBySeed(one: readonly Distillation[], other: readonly Distillation[]): Pairing {
  const pairs = one.flatMap(({ seed, networks }) => {
    const partner = other.find((candidate) => candidate.seed === seed)?.networks;
    const shared = [...networks.keys()].filter((network) => partner?.has(network));
    if (!partner || shared.length === 0) return [];
    const over = (side: ReadonlyMap<number, number>): number =>
      mean(shared.map((network) => side.get(network)!));
    return [
      {
        one: over(networks),
        other: over(partner),
        alone: networks.size + partner.size - 2 * shared.length,
      },
    ];
  });
  return {
    difference:
      pairs.length === 0
        ? undefined
        : pairedDifference(
            pairs.map((pair) => pair.one),
            pairs.map((pair) => pair.other),
          ),
    unpairedSeeds: one.length + other.length - 2 * pairs.length,
    unpairedNetworks: pairs.reduce((sum, { alone }) => sum + alone, 0),
  };
}
