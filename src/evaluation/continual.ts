import { check } from "../core/errors.ts";
import { mean, populationStandardDeviation } from "./statistics.ts";

/** How a network did that was trained after a step of class-incremental learning, on test images of the classes seen so far. */
export interface StepResult {
  /** Which order of the classes. */
  readonly order: number;
  /** The step it was trained after: 0, 1, … */
  readonly step: number;
  /** Which of the networks that were trained after this step. */
  readonly network: number;
  /** Fraction of test images of all classes seen so far that are recognized among all classes; NaN where training failed. */
  readonly accuracy: number;
  /** The same of the classes of each step so far: step + 1 fractions. */
  readonly stepAccuracies: readonly number[];
}

/** Mean of repeated measurements and their spread. */
export interface PopulationSpread {
  /** Arithmetic mean. */
  readonly mean: number;
  /** Population standard deviation (divisor n), as DM's protocol reports it. */
  readonly std: number;
  /** Measurements; mean and std are NaN where there are none. */
  readonly count: number;
}

/** What class-incremental learning comes to, over orders and networks. Accuracies are fractions. */
export interface ContinualSummary {
  /** After each step, over orders × networks. */
  readonly accuracies: readonly PopulationSpread[];
  /** Average incremental accuracy: the mean over the steps, of each order and network, over orders × networks. */
  readonly average: PopulationSpread;
  /** After the last step. */
  readonly final: PopulationSpread;
  /**
   * Forgetting (Chaudhry et al., ECCV 2018): by how much the accuracy on the classes of a step has fallen from its highest after
   * any step before the last, averaged over all steps but the last; of each order's mean over its networks, over orders. NaN of a single step.
   */
  readonly forgetting: PopulationSpread;
  /** [after step][on classes of step], the second up to the first, over orders × networks. */
  readonly matrix: readonly (readonly PopulationSpread[])[];
}

/**
 * Sums up the results of class-incremental learning, each network of each step and order once. Networks whose training failed
 * do not count.
 *
 * @param steps of every order.
 * @throws InputError for a step that is none of these, and for accuracies of classes that were not seen yet.
 */
export function continualSummary(results: readonly StepResult[], steps: number): ContinualSummary {
  for (const { step, stepAccuracies } of results) {
    check(
      step >= 0 && step < steps && stepAccuracies.length === step + 1,
      () =>
        `continualSummary: expected steps 0 to ${steps - 1} with an accuracy for each step so far, got ` +
        `${stepAccuracies.length} after step ${step}`,
    );
  }
  const done = results.filter(({ accuracy }) => Number.isFinite(accuracy));
  const after = Array.from({ length: steps }, (_, s) => done.filter(({ step }) => step === s));
  const accuracies = after.map((own) => spread(own.map(({ accuracy }) => accuracy)));
  const matrix = after.map((own, s) =>
    Array.from({ length: s + 1 }, (_, j) => spread(own.map((one) => one.stepAccuracies[j]!))),
  );
  const paths = grouped(done, ({ order, network }) => `${order} ${network}`);
  const whole = paths.filter((path) => path.length === steps);
  const orders = grouped(done, ({ order }) => String(order));
  return {
    accuracies,
    average: spread(whole.map((path) => mean(path.map(({ accuracy }) => accuracy)))),
    final: accuracies[steps - 1]!,
    forgetting: spread(
      orders.map((own) => forgettingOf(own, steps)).filter((value) => Number.isFinite(value)),
    ),
    matrix,
  };
}

/** Of the networks of one order. */
function forgettingOf(own: readonly StepResult[], steps: number): number {
  const means = Array.from({ length: steps }, (_, s) =>
    Array.from(
      { length: s + 1 },
      (_, j) => spread(own.filter(({ step }) => step === s).map((one) => one.stepAccuracies[j]!)).mean,
    ),
  );
  const last = means[steps - 1]!;
  const falls = last.slice(0, -1).map((now, j) => {
    const before = means.slice(j, -1).map((row) => row[j]!);
    return Math.max(...before) - now;
  });
  return falls.length === 0 ? NaN : mean(falls);
}

function grouped(all: readonly StepResult[], key: (one: StepResult) => string): StepResult[][] {
  const groups = new Map<string, StepResult[]>();
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return [...groups.values()];
}

function spread(values: readonly number[]): PopulationSpread {
  if (values.length === 0) return { mean: NaN, std: NaN, count: 0 };
  return { mean: mean(values), std: populationStandardDeviation(values), count: values.length };
}
