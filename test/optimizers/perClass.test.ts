import { afterAll, describe, expect, test } from "@jest/globals";
import { choice } from "../../src/core/options.ts";
import { seeded } from "../../src/core/rng.ts";
import { decodeProgress, encodeProgress } from "../../src/distillers/checkpoint.ts";
import { begin, distill, type Distillation, type Progress } from "../../src/distillers/distill.ts";
import { mapTensors, type Tensor, tensorsOf, type Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { Objective } from "../../src/objectives/objective.ts";
import { type Optimizer, optimizerOf, optimizers, perClass } from "../../src/optimizers/index.ts";
import { dmCase, expectSixDigits } from "../losses/cases.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const rule = (given: object): Optimizer => optimizerOf(choice(optimizers).parse(given));

/** Gradient of Σ_c of a loss of each class's own rows, in which no class sees another: of 3 classes with 2 rows of 3. */
const [CLASSES, ROWS, WIDTH] = [3, 2, 3];
const shape = [CLASSES * ROWS, WIDTH];
const targets = engine.tensor(shape, seeded(1).fillNormal(new Float64Array(18)));
const gradientAt = (x: Tensor): Tensor =>
  engine.gradients((at) => at!.sub(targets).square().mul(at!.cos().add(2)).sum(), [x]).gradients[0]!;

/** What published code does: one update of the whole tensor for each class, by a gradient that is zero in all others. */
function oneAfterTheOther(rule: Optimizer, start: Tensor, steps: number): { value: Tensor; state: Tree } {
  let value = start;
  let state = rule.init(value);
  for (let update = 0; update < steps * CLASSES; update++) {
    const own = Array.from({ length: CLASSES * ROWS }, (_, row) =>
      Math.floor(row / ROWS) === update % CLASSES ? 1 : 0,
    );
    const gradient = gradientAt(value).mul(engine.tensor([CLASSES * ROWS, 1], own));
    ({ value, state } = rule.update(value, gradient, state));
  }
  return { value, state };
}

function together(stepping: Optimizer, start: Tensor, steps: number): { value: Tensor; state: Tree } {
  let value = start;
  let state = stepping.init(value);
  for (let step = 0; step < steps; step++) {
    const at = stepping.approach!(value, state);
    ({ value, state } = stepping.update(at.value, gradientAt(at.value), at.state));
  }
  return { value, state };
}

function expectClose(got: Tree, wanted: Tree): void {
  const [found, expected] = [tensorsOf(got), tensorsOf(wanted)];
  expect(found.length).toBe(expected.length);
  found.forEach((tensor, i) => {
    const [a, b] = [tensor.values(), expected[i]!.values()];
    a.forEach((value, k) =>
      expect(Math.abs(value - b[k]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(b[k]!))),
    );
  });
}

const rules: readonly (readonly [string, object])[] = [
  ["SGD", { name: "sgd", learningRate: 0.03 }],
  ["SGD with momentum", { name: "sgd", learningRate: 0.02, momentum: 0.5 }],
  ["SGD with momentum and decay", { name: "sgd", learningRate: 0.02, momentum: 0.9, weightDecay: 0.1 }],
  ["Adam", { name: "adam", learningRate: 0.05 }],
  ["AdamW", { name: "adam", learningRate: 0.05, weightDecay: 0.2, decoupled: true }],
];

describe.each(rules)("%s", (_, given) => {
  const start = engine.tensor(shape, seeded(2).fillNormal(new Float64Array(18)));

  test("class after class, from one gradient, is the sequence of updates of the whole", () => {
    const inner = rule(given);
    const wanted = oneAfterTheOther(inner, start, 4);
    const found = together(perClass(inner, CLASSES), start, 4);
    expectClose(found.value, wanted.value);
    expectClose(found.state, wanted.state);
    // Plain numbers, as Adam's count of updates, too.
    const plain = (state: Tree): string => JSON.stringify(mapTensors(state, ({ shape }) => shape));
    expect(plain(found.state)).toBe(plain(wanted.state));
  });

  test("one class alone steps as the rule does", () => {
    const inner = rule(given);
    const state = inner.init(start);
    const gradient = gradientAt(start);
    const alone = perClass(inner, 1);
    const at = alone.approach!(start, state);
    expect(at.value.values()).toEqual(start.values());
    expectClose(alone.update(at.value, gradient, at.state), inner.update(start, gradient, state));
  });
});

describe("case J", () => {
  const { learningRate, momentum } = { learningRate: 0.2, momentum: 0.5 };
  const inner = rule({ name: "sgd", learningRate, momentum });
  const wanted = dmCase<Record<string, number[]>>("J");
  const goal = engine.tensor([3, 1], [0.5, -0.5, 1]);
  const slope = (x: Tensor): Tensor => x.sub(goal).mul(2);
  const x0 = engine.tensor([3, 1], [1, 2, 3]);

  test("class after class", () => {
    const stepping = perClass(inner, 3);
    let [value, state] = [x0, stepping.init(x0)];
    const after = Array.from({ length: 2 }, () => {
      const at = stepping.approach!(value, state);
      ({ value, state } = stepping.update(at.value, slope(at.value), at.state));
      return [...value.values()];
    });
    expectSixDigits(after[0]!, wanted.after_iter1!);
    expectSixDigits(after[1]!, wanted.after_iter2!);
    expectSixDigits(tensorsOf(state)[0]!.values(), wanted.velocity_after_iter2!);
  });

  test("a joint step goes elsewhere", () => {
    let [value, state] = [x0, inner.init(x0)];
    for (let step = 0; step < 2; step++) ({ value, state } = inner.update(value, slope(value), state));
    expectSixDigits(value.values(), wanted["joint_step_after_iter2(different!)"]!);
    expect(Math.abs(value.values()[0]! - wanted.after_iter2![0]!)).toBeGreaterThan(0.05);
  });
});

describe("in the loop", () => {
  const source = toySource(engine); // 3 classes of 2 images
  const count = source.labels.length * 192;
  const goal = engine.tensor([6, 8, 8, 3], seeded(4).fillNormal(new Float64Array(count)));
  const looked: string[] = [];
  const objective: Objective = {
    name: "bowl",
    draw: (_, __, { step }) => ({ step }),
    loss: ({ images }) => images.sub(goal).square().sum(),
    after({ images }) {
      looked.push(String(images.values()[0]));
      return null;
    },
  };
  const images = (): Tensor => engine.fill([6, 8, 8, 3], 1);
  const run = (given: object, steps: number): Distillation => ({
    ...{ source, objective, steps, rng: seeded(1) },
    optimizer: perClass(rule(given), 3),
  });
  const last = (distillation: Distillation, from: Progress): Progress => {
    let progress = from;
    for (const report of distill(distillation, from)) ({ progress } = report);
    return progress;
  };
  const bits = (progress: Progress): unknown => tensorsOf(progress).map((tensor) => [...tensor.values()]);

  test.each(rules.slice(1))("%s: a resumed run ends with the same bits, and no tensor leaks", (_, given) => {
    const through = last(run(given, 5), begin(run(given, 5), images()));
    const half = last(run(given, 2), begin(run(given, 2), images()));
    const { progress } = decodeProgress(encodeProgress(half), engine);
    const before = engine.liveTensors() - tensorsOf(progress).length;
    const resumed = last(run(given, 5), progress);
    expect(engine.liveTensors() - tensorsOf(resumed).length).toBe(before);
    expect(bits(resumed)).toEqual(bits(through));
  });

  test("the gradient is taken on the way, and what is yielded and looked at is where the step ends", () => {
    looked.length = 0;
    const given = { name: "sgd", learningRate: 0.1, momentum: 0.5 };
    const ends: string[] = [];
    const distillation = run(given, 3);
    for (const { progress } of distill(distillation, begin(distillation, images()))) {
      ends.push(String(progress.learned.images.values()[0]));
    }
    expect(looked).toEqual(ends);
    // Of the first class x ends each step where momentum has carried it, μ(1 + μ) of its step on: by hand, from x = 1.
    const t = goal.values()[0]!;
    let [x, v] = [1, 0];
    for (const end of ends) {
      v = 0.5 * v + 2 * (x - t);
      x -= 0.1 * (v + 0.5 * v + 0.25 * v);
      v *= 0.25;
      expect(Number(end)).toBeCloseTo(x, 12);
    }
  });
});

test("refuses rows that do not divide, and state of another shape", () => {
  const value = engine.fill([6, 2], 0);
  expect(() => perClass(rule({ name: "sgd" }), 4).init(value)).toThrow(
    "perClass: expected as many rows of each of 4 classes, got shape 6×2",
  );
  const odd: Optimizer = { ...rule({ name: "sgd" }), name: "odd", init: () => engine.fill([3], 0) };
  expect(() => perClass(odd, 3).init(value)).toThrow(
    "perClass: expected an optimizer with state of shape 6×2, got 3 in that of odd; its steps must be joint",
  );
});
