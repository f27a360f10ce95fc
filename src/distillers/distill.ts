import { Divergence } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import {
  type Beginning,
  descent,
  type Descent,
  type Draw,
  type Learned,
  type Objective,
  type Source,
} from "../objectives/objective.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";

/** One run of a method. */
export interface Distillation {
  /** Where draws come from. */
  readonly source: Source;
  /** The method. */
  readonly objective: Objective;
  /** Optimizer of the images; what a method learns beside them it updates by its own. */
  readonly optimizer: Optimizer;
  /** Updates in all. */
  readonly steps: number;
  /** Root of the run's dice. Step s rolls those of `rng.stream("step/s")`, whatever came before. */
  readonly rng: Rng;
}

/** Everything that a later step depends on: with it, a run goes on bit for bit. */
export interface Progress {
  /** Updates done. */
  readonly step: number;
  /** The images, and what else the method learns. */
  readonly learned: Learned;
  /** Optimizer state of each learned tensor. */
  readonly optimizers: Readonly<Record<string, Tree>>;
  /** State of the method. */
  readonly state: Tree;
  /** Loss of the step before, null before the first. */
  readonly loss: number | null;
}

/** What a step reports. */
export interface Report {
  /** The state after the update. */
  readonly progress: Progress;
  /** Loss before the update, where its gradient is taken. */
  readonly loss: number;
  /** Norm of the gradient over all that is learned. */
  readonly gradientNorm: number;
  /** What else the method measures, by name; `skipped` is 1 of a step that changed nothing that is learned. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Why a step changed nothing that is learned. */
  readonly skipped?: string | undefined;
}

/** The state before the first step. The images belong to it from here on. */
export function begin(run: Distillation, images: Tensor): Progress {
  const { source, objective, rng } = run;
  const beginning: Beginning = objective.begin?.(source, rng.stream("begin"), images) ?? {};
  const { learned = {}, state = null } = beginning;
  if (beginning.images) images.dispose();
  const all: Learned = { ...learned, images: beginning.images ?? images };
  const optimizers = Object.entries(all).map(([name, value]) => [name, optimizerOf(run, name).init(value)]);
  return {
    step: 0,
    learned: all,
    optimizers: Object.fromEntries(optimizers) as Record<string, Tree>,
    state,
    loss: null,
  };
}

/**
 * The loop, one for all objectives: draws, descends, updates, lets the method follow up, and yields. It neither logs nor
 * saves nor evaluates; whoever consumes it does. The tensors of a yielded progress live until the next step succeeds.
 *
 * @throws Divergence if a loss or gradient is not finite; the progress yielded last is then the last good state.
 */
export function* distill(run: Distillation, start: Progress): Generator<Report, void> {
  let progress = start;
  while (progress.step < run.steps) {
    const report = run.source.engine.scope(() => step(run, progress));
    disposeExcept(progress, report.progress);
    progress = report.progress;
    yield report;
  }
}

function step(run: Distillation, progress: Progress): Report {
  const { source, objective, rng } = run;
  const { step, state } = progress;
  const { engine } = source;
  const draw: Draw = objective.draw(source, rng.stream(`step/${step}`), { step, state });
  const { learned, optimizers: arrived } = engine.scope(() => approached(run, progress));
  const { value, gradients, metrics = {}, skipped } = descent(objective, learned, draw);
  const { learned: next, optimizers } =
    skipped === undefined ? updated(run, { learned, optimizers: arrived }, gradients) : progress;
  const { loss, gradientNorm, lost, measured } = engine.scope(() =>
    readings({ value, gradients, metrics }, next),
  );
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
    throw new Divergence(
      `${objective.name}, step ${step}: expected a finite loss and gradient, got ${loss} and ${gradientNorm}; ` +
        `the last finite loss was ${progress.loss ?? "none"}. A lower learning rate may help`,
    );
  }
  if (lost !== undefined) {
    throw new Divergence(
      `${objective.name}, step ${step}: expected finite ${lost} after the update, got others; the loss was ${loss}. ` +
        "A lower learning rate may help",
    );
  }
  const nextState = objective.after ? objective.after(next, draw) : state;
  return {
    progress: { step: step + 1, learned: next, optimizers, state: nextState, loss },
    loss,
    gradientNorm,
    metrics: { ...draw.metrics, ...measured, ...(skipped !== undefined && { skipped: 1 }) },
    skipped,
  };
}

/** All that is learned and the states of its optimizers after an update. */
function updated(
  run: Distillation,
  { learned, optimizers }: Pick<Progress, "learned" | "optimizers">,
  gradients: Descent["gradients"],
): Pick<Progress, "learned" | "optimizers"> {
  const { engine } = run.source;
  const updates = Object.entries(learned).map(([name, value]) => {
    const update = engine.scope(() =>
      optimizerOf(run, name).update(value, gradients[name]!, optimizers[name]),
    );
    return [name, update] as const;
  });
  return {
    learned: Object.fromEntries(updates.map(([name, { value }]) => [name, value])) as Learned,
    optimizers: Object.fromEntries(updates.map(([name, { state }]) => [name, state])),
  };
}

/** Where the gradients of the step are taken, and the optimizers' states there. */
function approached(
  run: Distillation,
  { learned, optimizers, loss }: Progress,
): Pick<Progress, "learned" | "optimizers"> {
  const at = Object.entries(learned).map(([name, value]) => {
    const state = optimizers[name];
    return [name, optimizerOf(run, name).approach?.(value, state, loss) ?? { value, state }] as const;
  });
  return {
    learned: Object.fromEntries(at.map(([name, { value }]) => [name, value])) as Learned,
    optimizers: Object.fromEntries(at.map(([name, { state }]) => [name, state])),
  };
}

function optimizerOf({ objective, optimizer }: Distillation, name: string): Optimizer {
  const found = name === "images" ? optimizer : objective.optimizers?.[name];
  if (!found) throw new Error(`internal: ${objective.name} learns ${name} but brings no optimizer for it`);
  return found;
}

interface Readings {
  readonly loss: number;
  /** Norm over all gradients. */
  readonly gradientNorm: number;
  /** What is learned and no longer finite. */
  readonly lost: string | undefined;
  /** The metrics as numbers. */
  readonly measured: Readonly<Record<string, number>>;
}

/** What a step looks at, copied to the host at once: each copy waits for the device. */
function readings(
  { value, gradients, metrics }: Required<Omit<Descent, "skipped">>,
  next: Learned,
): Readings {
  const squaredNorms = [...Object.values(gradients), ...Object.values(next)].map((one) => one.square().sum());
  const scalars = [value, ...Object.values(metrics), ...squaredNorms].map((scalar) => scalar.reshape([1]));
  const [loss, ...others] = value.engine.concat(scalars).values();
  const names = Object.keys(metrics);
  const squares = others.slice(names.length);
  const ofGradients = squares.splice(0, Object.keys(gradients).length);
  return {
    loss: loss!,
    gradientNorm: Math.sqrt(ofGradients.reduce((sum, square) => sum + square)),
    lost: Object.keys(next).find((_, i) => !Number.isFinite(squares[i]!)),
    measured: Object.fromEntries(names.map((name, i) => [name, others[i]!])),
  };
}
