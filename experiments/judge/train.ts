import { setImmediate } from "node:timers/promises";
import { InputError } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { evaluate, type Evaluation, type EvaluationPlan, trainingOf } from "../../src/evaluation/evaluate.ts";
import { type Thirds, thirds } from "../../src/evaluation/statistics.ts";
import { Stopped } from "../failure.ts";
import { commit } from "../machine.ts";
import { progressLine } from "../progress.ts";
import type { Row } from "../results.ts";
import { stopSignal } from "../stopSignal.ts";
import type { SubjectColumns } from "./subject.ts";

/** What came of training and testing one network. */
export interface Outcome {
  /** Or why there is nothing. */
  readonly result: Evaluation | InputError;
  readonly seconds: number;
  readonly evaluationSeed: number;
}

/**
 * Trains and tests one network. A training that diverges is an outcome, not the end of the others.
 *
 * @param more networks that come after it, for the time left.
 */
export async function trainAndTest(
  plan: EvaluationPlan,
  evaluationSeed: number,
  label: string,
  more = 0,
): Promise<Outcome> {
  const { epochs } = trainingOf(plan);
  const line = progressLine(label, epochs, { unit: "epoch", more });
  const training = evaluate(plan, seeded(evaluationSeed).stream("evaluation"));
  const stop = stopSignal();
  try {
    for (;;) {
      const next = training.next();
      if (next.done) {
        const seconds = line.end(`accuracy ${(100 * next.value.accuracy).toFixed(1)} %`);
        return { result: next.value, seconds, evaluationSeed };
      }
      line.at(next.value.epoch + 1);
      await setImmediate(); // lets a signal be heard
      if (stop.asked()) throw new Stopped(`${label}: stopped; the same command trains this network anew`);
    }
  } catch (error) {
    if (!(error instanceof InputError) || error instanceof Stopped) throw error;
    return { result: error, seconds: line.end(error.message), evaluationSeed };
  } finally {
    stop.release();
    training.return(undefined as never);
  }
}

/** Of a set with fewer classes than thirds. */
const NO_THIRDS: Thirds = { head: NaN, medium: NaN, tail: NaN };

/** The row of a network. @param trainingCounts real training images of each class. */
export function rowOf(
  columns: SubjectColumns,
  { network, protocol, images }: EvaluationPlan,
  trainingCounts: readonly number[],
  { result, seconds, evaluationSeed }: Outcome,
): Row {
  const failed = result instanceof InputError;
  const perClass = failed ? trainingCounts.map(() => NaN) : result.perClass;
  const { head, medium, tail } = trainingCounts.length < 3 ? NO_THIRDS : thirds(perClass, trainingCounts);
  return {
    ...columns,
    protocol: protocol.id,
    evaluationNetwork: network.name,
    commit,
    engine: images.engine.name,
    evaluationSeed,
    accuracy: failed ? NaN : result.accuracy,
    headAccuracy: head,
    mediumAccuracy: medium,
    tailAccuracy: tail,
    classAccuracies: perClass,
    evaluationSeconds: seconds,
    status: failed ? result.message : "done",
  };
}
