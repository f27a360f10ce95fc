import type { Rng } from "../core/rng.ts";
import type { Engine } from "../engines/index.ts";
import { initialTensors, type Network, type Parameters, type Statistics } from "../networks/network.ts";

/** A network with the tensors that make it one function. */
export interface Model {
  /** Its functions. */
  readonly network: Network;
  /** In the order of `Network.parameters`. */
  readonly parameters: Parameters;
  /** Running statistics of batch norm; empty for networks without. */
  readonly statistics: Statistics;
}

/** A model at its random start, each tensor from a stream of its own name. */
export function freshModel(network: Network, engine: Engine, rng: Rng): Model {
  return {
    network,
    parameters: initialTensors(network.parameters, engine, rng),
    statistics: initialTensors(network.statistics, engine, rng),
  };
}

/** Frees a model's tensors. */
export function disposeModel({ parameters, statistics }: Model): void {
  for (const tensor of [...parameters, ...statistics]) tensor.dispose();
}
