import { afterAll, describe, expect, test } from "@jest/globals";
import { type Rng, seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { disposeExcept, type Tensor, tensorsOf, type Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { initialTensors } from "../../src/networks/network.ts";
import type { MatchingNetworks } from "../../src/objectives/networkSources/index.ts";
import { queue, queueOptions } from "../../src/objectives/networkSources/queue.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { lossGradient } from "../../src/training/parameterGradient.ts";
import { expectClose } from "../support/close.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

type Options = ReturnType<typeof optionsOf>;
const optionsOf = (given: object) => queueOptions.parse({ trainBatch: 6, trainSteps: 3, ...given });

/** The draws of some steps from the start, each given before the state moves on. */
function* walk(source: Source, options: Options, steps: number): Generator<MatchingNetworks, Tree> {
  const rng = seeded(3);
  const networks = queue(options);
  let state = networks.begin!(source, rng.stream("begin"));
  for (let step = 0; step < steps; step++) {
    const drawn = networks.draw(source, rng.stream(`step/${step}`), { step, state });
    yield drawn;
    state = drawn.after!();
  }
  return state;
}

interface Plain {
  readonly theta: Float64Array[];
  readonly velocity: Float64Array[];
  seen: number;
  right: number;
}

/** IDM's loop over its queue, one thing after the other on plain arrays; the dice are those of the streams by their names. */
class Published {
  readonly networks: Plain[] = [];
  readonly source: Source;
  readonly options: Options;

  constructor(source: Source, options: Options, rng: Rng) {
    this.source = source;
    this.options = options;
    for (let i = 0; i < options.initial; i++) this.push(rng.stream(`network/${i}`));
  }

  push(rng: Rng): void {
    const theta = initialTensors(this.source.network.parameters, engine, rng).map((one) =>
      Float64Array.from(one.values()),
    );
    this.networks.push({ theta, velocity: theta.map((one) => one.map(() => 0)), seen: 0, right: 0 });
  }

  /** Parameters and accuracy that a step matches under. */
  match(step: number, rng: Rng): { theta: Float64Array[]; percent: number; queue: number } {
    const { resetAccuracyEvery, renewEvery, capacity, begin, end } = this.options;
    if (resetAccuracyEvery > 0 && step > 0 && step % resetAccuracyEvery === 0) {
      for (const network of this.networks) network.seen = network.right = 0;
    }
    if (step % renewEvery === 0) {
      if (this.networks.length === capacity) this.networks.shift();
      this.push(rng.stream("network"));
    }
    let chosen = this.networks;
    if (chosen.slice(begin, end).length > 10) chosen = chosen.slice(begin, end);
    const { theta, seen, right } = chosen[rng.stream("matching").integer(chosen.length)]!;
    const percent = seen === 0 ? 0 : (100 * right) / seen;
    return { theta: theta.map((one) => one.slice()), percent, queue: this.networks.length };
  }

  train(rng: Rng): void {
    const { trained, trainSteps, trainBatch } = this.options;
    const dice = rng.stream("training");
    const order = [...dice.stream("networks").permutation(this.networks.length)];
    order.slice(0, trained).forEach((index, i) => {
      for (let k = 0; k < trainSteps; k++) {
        const all = Array.from(this.source.real.labels.keys());
        const shuffle = dice.stream(`batch/${i}/${k}`);
        for (let at = 0; at < Math.min(trainBatch, all.length); at++) {
          const other = at + shuffle.integer(all.length - at);
          [all[at], all[other]] = [all[other]!, all[at]!];
        }
        this.step(this.networks[index]!, all.slice(0, trainBatch));
      }
    });
  }

  step(network: Plain, positions: number[]): void {
    const { network: net, real } = this.source;
    const { learningRate, momentum, weightDecay } = this.options;
    const n = positions.length;
    const classes = real.classNames.length;
    const images = engine.tensor([n, ...real.imageShape], normalized(real, positions));
    const hot = positions.flatMap((at) => real.classNames.map((_, c) => (real.labels[at] === c ? 1 : 0)));
    const target = engine.tensor([n, classes], hot);
    const theta = net.parameters.map(({ shape }, i) => engine.tensor(shape, network.theta[i]!));
    const logits = [...net.logits(theta, images).values()];
    positions.forEach((at, i) => {
      const row = logits.slice(i * classes, (i + 1) * classes);
      network.seen++;
      if (row.indexOf(Math.max(...row)) === real.labels[at]) network.right++;
    });
    const loss = (...at: Tensor[]): Tensor => net.logits(at, images).logSoftmax().mul(target).sum().div(-n);
    engine.gradients(loss, theta).gradients.forEach((gradient, i) => {
      gradient.values().forEach((slope, k) => {
        const v = momentum * network.velocity[i]![k]! + slope + weightDecay * network.theta[i]![k]!;
        network.velocity[i]![k] = v;
        network.theta[i]![k]! -= learningRate * v;
      });
    });
  }
}

describe.each([
  ["instance norm", "instance", {}],
  ["batch norm", "batch", {}],
  ["accuracies that start anew", "instance", { resetAccuracyEvery: 4 }],
  [
    "a slice, once it has more than 10",
    "instance",
    { initial: 12, begin: 1, end: 13, renewEvery: 2, capacity: 15 },
  ],
  ["more in a batch than there are images", "instance", { trainBatch: 100, trained: 9, trainSteps: 1 }],
] as const)("%s", (_, norm, given) => {
  test("is the published loop, one thing after the other", () => {
    const source = toySource(engine, { network: { norm } });
    const options = optionsOf({ renewEvery: 3, capacity: 5, learningRate: 0.05, ...given });
    const rng = seeded(3);
    const published = new Published(source, options, rng.stream("begin"));
    const steps = walk(source, options, 12);
    const accuracies: number[] = [];
    for (let step = 0; step < 12; step++) {
      const dice = rng.stream(`step/${step}`);
      const wanted = published.match(step, dice);
      const { parameters, accuracy, metrics } = steps.next().value as MatchingNetworks;
      parameters.forEach((one, i) => expectClose(one.values(), wanted.theta[i]!, 1e-12));
      expect(100 * accuracy).toBeCloseTo(wanted.percent, 12);
      expect(metrics).toEqual({ queue: wanted.queue, networkAccuracy: accuracy });
      accuracies.push(accuracy);
      published.train(dice);
    }
    const state = steps.next().value as unknown as { optimizers: { velocity: Tensor }[] }[];
    expect(state.length).toBe(published.networks.length);
    state.forEach(({ optimizers }, n) => {
      const { velocity: wanted } = published.networks[n]!;
      optimizers.forEach(({ velocity }, i) => expectClose(velocity.values(), wanted[i]!, 1e-12));
    });
    expect(Math.max(...accuracies)).toBeGreaterThan(0.3);
  });
});

describe("the queue", () => {
  const source = toySource(engine);

  test("grows to its capacity, one network at a time, and the oldest leave first", () => {
    const options = optionsOf({ initial: 2, capacity: 5, renewEvery: 2, trained: 0 });
    const first = (state: Tree): number[] =>
      (state as unknown as MatchingNetworks[]).map(({ parameters }) => parameters[0]!.values()[0]!);
    const lengths: number[] = [];
    const held: number[][] = [];
    for (const drawn of walk(source, options, 12)) {
      lengths.push(drawn.metrics!.queue!);
      held.push(first(drawn.after!()));
    }
    expect(lengths).toEqual([3, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5]);
    expect(held[3]).toEqual(held[2]);
    for (const step of [6, 8, 10]) {
      expect(held[step]!.slice(0, -1)).toEqual(held[step - 1]!.slice(1));
      expect(held[step - 1]).not.toContain(held[step]!.at(-1));
    }
  });

  test("trains only those that it picked, and leaves the others as they are", () => {
    const options = optionsOf({ initial: 6, trained: 2 });
    const networks = queue(options);
    const state = networks.begin!(source, seeded(1)) as unknown as Tree[];
    const after = networks.draw(source, seeded(2), { step: 1, state }).after!() as unknown as Tree[];
    expect(after.filter((network, i) => network !== state[i]).length).toBe(2);
    disposeExcept(after, state);
    for (const tensor of tensorsOf(state)) expect(tensor.values().length).toBeGreaterThan(0);
  });

  test("takes a training step in little more memory than the networks", () => {
    const options = optionsOf({ initial: 1, renewEvery: 100, trained: 1, trainSteps: 20 });
    const networks = queue(options);
    const state = networks.begin!(source, seeded(1));
    const drawn = networks.draw(source, seeded(2), { step: 1, state });
    const before = engine.liveTensors();
    const after = drawn.after!();
    expect(engine.liveTensors() - before).toBe(tensorsOf(after).length);
    disposeExcept(after, null);
  });

  test("learns what it trains on", () => {
    const options = optionsOf({
      initial: 1,
      renewEvery: 100,
      trainSteps: 10,
      trainBatch: 12,
      learningRate: 0.05,
    });
    const lossOf = (parameters: readonly Tensor[]): number => {
      const positions = Int32Array.from(source.real.labels.keys());
      const images = engine.tensor([positions.length, 8, 8, 3], normalized(source.real, positions));
      return lossGradient(source.network, parameters, { images, labels: source.real.labels }).value.item();
    };
    const [first, ...later] = [...walk(source, options, 25)];
    // Of the two networks, the initial one and the one pushed at step 0, any.
    expect(lossOf(later.at(-1)!.parameters)).toBeLessThan(0.5 * lossOf(first!.parameters));
    expect(later.at(-1)!.accuracy).toBeGreaterThan(0.6);
  });
});

test("the gradient's pass shows all logits, chunk after chunk", () => {
  const source = toySource(engine);
  const theta = initialTensors(source.network.parameters, engine, seeded(5));
  // One image at a time: the network says that it is large.
  const network = { ...source.network, largest: 2 ** 26 };
  const positions = Int32Array.of(0, 5, 17);
  const images = engine.tensor([3, 8, 8, 3], normalized(source.real, positions));
  const seen: number[] = [];
  const onLogits = (logits: Tensor): void => {
    expect(logits.shape).toEqual([1, 3]);
    seen.push(...logits.values());
  };
  lossGradient(network, theta, { images, labels: Int32Array.of(0, 0, 2), onLogits });
  const wanted = source.network.logits(theta, images).values();
  seen.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 12));
  expect(seen.length).toBe(9);
});
