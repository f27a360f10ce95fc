import { check } from "../core/errors.ts";
import type { Choice } from "../core/options.ts";
import { parsed } from "../core/parse.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Engine } from "../engines/index.ts";
import { evaluate, type Evaluation, type EvaluationPlan, trainingOf } from "../evaluation/evaluate.ts";
import { type Protocol, type ProtocolId, protocols } from "../evaluation/protocols.ts";
import { mean, sampleStandardDeviation } from "../evaluation/statistics.ts";
import { isNetwork, type Network, networkOf, type networks } from "../networks/index.ts";
import { evaluationOptions } from "./options.ts";
import { planOf } from "./plan.ts";
import { evaluationRng } from "./setting.ts";
import type { SyntheticSet } from "./synthetic.ts";

/** How a synthetic set is judged. What is left out has the default of a config. */
export interface EvaluationOptions {
  /** Where it computes, from `selectEngine`. */
  readonly engine: Engine;
  /** How networks are trained: an id of `protocols`, by default "dm-1000", or a protocol of your own. */
  readonly protocol?: ProtocolId | Protocol;
  /** Fresh networks to train, each from a seed of its own, 0, 1, …. Default 5. */
  readonly networks?: number;
  /** Their architecture: a choice of `networks`, or your own. Default: the one that the images were matched under. */
  readonly network?: Choice<typeof networks> | Network;
}

/** What an epoch of an evaluation reports. */
export interface EvaluationReport {
  /** Networks tested before this one. */
  readonly network: number;
  /** Epochs that this network has been trained for, and those it is to be. */
  readonly epoch: number;
  /** Epochs of the protocol. */
  readonly epochs: number;
}

/** Accuracies of networks trained on a synthetic set, as fractions. */
export interface EvaluationResult {
  /** Mean over the networks. */
  readonly accuracy: number;
  /** Sample standard deviation over the networks (n − 1); NaN of one network. */
  readonly deviation: number;
  /** Each network's own, with its accuracy in each class. */
  readonly networks: readonly Evaluation[];
}

/**
 * An evaluation under way. Iterating over it trains the networks that are left, one epoch at a time; a loop that is left
 * early can be taken up again by another, which trains the network it was at anew.
 */
export interface EvaluationRun extends Iterable<EvaluationReport> {
  /** Trains and tests all networks that are left, and returns the result. */
  finish(): EvaluationResult;
}

/**
 * Trains fresh networks on a synthetic set and tests each once, after its last epoch, as `distillery evaluate` does:
 *
 *     const { accuracy } = evaluationOf(synthetic, test, { engine, protocol: "quick", networks: 2 }).finish();
 *
 * Soft labels and a learning rate that the method learned take the place of the hard labels and of the protocol's rate.
 *
 * @param test real images of the same classes and shape, all of which count; they are normalized as the synthetic ones are.
 * @throws InputError where classes or shapes differ, and for a wrong option.
 */
export function evaluationOf(
  synthetic: SyntheticSet,
  test: Dataset,
  { engine, protocol, networks: count, network }: EvaluationOptions,
): EvaluationRun {
  checkFits(synthetic, test);
  const own = { protocol: typeof protocol === "object", network: isNetwork(network) };
  const options = parsed("evaluationOf", evaluationOptions, {
    networks: count,
    ...(!own.protocol && { protocol }),
    ...(!own.network && { network }),
  });
  const task = { imageShape: synthetic.imageShape, classes: synthetic.classNames.length };
  const how = {
    network: isNetwork(network)
      ? network
      : options.network
        ? networkOf(options.network, task)
        : synthetic.network,
    protocol: typeof protocol === "object" ? protocol : protocols[options.protocol],
  };
  const done: Evaluation[] = [];

  const run: EvaluationRun = {
    *[Symbol.iterator]() {
      if (done.length === options.networks) return;
      const plan = planOf(synthetic, test, how, engine);
      try {
        while (done.length < options.networks) done.push(yield* trained(plan, done.length));
      } finally {
        plan.dispose();
      }
    },
    finish() {
      const epochs = run[Symbol.iterator]();
      while (!epochs.next().done);
      const accuracies = done.map(({ accuracy }) => accuracy);
      const deviation = accuracies.length > 1 ? sampleStandardDeviation(accuracies) : NaN;
      return { accuracy: mean(accuracies), deviation, networks: [...done] };
    },
  };
  return run;
}
function* trained(plan: EvaluationPlan, network: number): Generator<EvaluationReport, Evaluation> {
  const { epochs } = trainingOf(plan);
  const training = evaluate(plan, evaluationRng(network));
  try {
    let next = training.next();
    for (; !next.done; next = training.next()) yield { network, epoch: next.value.epoch + 1, epochs };
    return next.value;
  } finally {
    training.return(undefined as never); // frees what a training holds that is left early
  }
}

/** @throws InputError where a network trained on the one could not be tested on the other, or would be tested wrongly. */
function checkFits(synthetic: SyntheticSet, test: Dataset): void {
  check(
    test.whitening === undefined,
    () =>
      "evaluationOf: expected test images as pixels, got whitened ones; they are brought to the synthetic set's space here",
  );
  for (const key of ["classNames", "imageShape"] as const) {
    const [expected, got] = [synthetic[key], test[key]].map((value) => JSON.stringify(value));
    check(
      expected === got,
      () =>
        `evaluationOf: expected test images with ${key} ${expected}, as the synthetic set has it, got ${got}`,
    );
  }
}
