import type { Rng } from "../../core/rng.ts";
import type { Tree } from "../../engines/index.ts";
import type { Parameters } from "../../networks/network.ts";
import type { Preparation, Source } from "../objective.ts";

/** Where the networks come from that real and synthetic images are compared under. */
export interface NetworkSource {
  /** What must be there before the first step. */
  readonly preparations?: readonly Preparation[];
  /** The source's own state before the first step: networks that it trains as it goes. Absent: it has none. */
  begin?(source: Source, rng: Rng): Tree;
  /** The networks of one step. Rolls all their dice, those of `after` too. */
  draw(source: Source, rng: Rng, at: { readonly step: number; readonly state: Tree }): MatchingNetworks;
}

/** The networks of one step. */
export interface MatchingNetworks {
  /** Of the network that embeds real and synthetic images. */
  readonly parameters: Parameters;
  /** Of a trained network of the same architecture, where there is one beside it: a better judge of classes. */
  readonly classifier?: Parameters;
  /**
   * Accuracy on the real images that it was trained on, 0 to 1, of `classifier` where there is one, else of `parameters`; 0
   * where it was not trained.
   */
  readonly accuracy: number;
  /** Quantities worth a column in the log, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** The source's state after the step. Absent: it stays as it is. */
  after?(): Tree;
}
