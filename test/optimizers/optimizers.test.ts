import { afterAll, describe, expect, test } from "@jest/globals";
import { choice } from "../../src/core/options.ts";
import { seeded } from "../../src/core/rng.ts";
import { mapTensors, type Tensor, type Tree } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  adam,
  adamOptions,
  type Optimizer,
  optimizerOf,
  optimizers,
  sgd,
} from "../../src/optimizers/index.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

/** Values after each of the updates by given gradients. */
function trajectory(optimizer: Optimizer, start: number, gradients: readonly number[]): number[] {
  let value = engine.tensor([1], [start]);
  let state = optimizer.init(value);
  return gradients.map((g) => {
    ({ value, state } = optimizer.update(value, engine.tensor([1], [g]), state));
    return value.item();
  });
}

/** ½ Σ aᵢ(xᵢ − 1)² minimized from x = 0. */
function minimized(optimizer: Optimizer, steps: number): Tensor {
  const curvature = engine.tensor([3], [1, 0.3, 2]);
  let value = engine.fill([3], 0);
  let state = optimizer.init(value);
  for (let step = 0; step < steps; step++) {
    ({ value, state } = optimizer.update(value, value.sub(1).mul(curvature), state));
  }
  return value;
}

const resolved = (given: object): Optimizer => optimizerOf(choice(optimizers).parse(given));
const adamWith = (given: object): Optimizer => adam(adamOptions.parse(given));

describe("sgd", () => {
  test("by hand: plain", () => {
    expect(trajectory(sgd({ learningRate: 0.5, momentum: 0, weightDecay: 0 }), 1, [2, -1])).toEqual([0, 0.5]);
  });

  test("by hand: with momentum and weight decay", () => {
    // g = 1 + 0.5·4 = 3, v = 3, x = 4 − 1.5 = 2.5; g = 1 + 1.25 = 2.25, v = 1.5 + 2.25 = 3.75, x = 2.5 − 1.875
    const rule = sgd({ learningRate: 0.5, momentum: 0.5, weightDecay: 0.5 });
    expect(trajectory(rule, 4, [1, 1])).toEqual([2.5, 0.625]);
  });

  test("a constant gradient g ends at a speed of ηg/(1 − μ)", () => {
    const path = trajectory(
      sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0 }),
      0,
      Array<number>(300).fill(1),
    );
    expect(path[298]! - path[299]!).toBeCloseTo(1, 10);
  });

  test("out of range options are refused", () => {
    const options = { learningRate: 0.1, momentum: 0, weightDecay: 0 };
    expect(() => sgd({ ...options, learningRate: 0 })).toThrow(
      "sgd.learningRate: expected a number > 0, got 0",
    );
    expect(() => sgd({ ...options, momentum: 1 })).toThrow("sgd.momentum: expected 0 to below 1, got 1");
    expect(() => sgd({ ...options, weightDecay: -1 })).toThrow(
      "sgd.weightDecay: expected a number >= 0, got -1",
    );
  });
});

describe("adam", () => {
  test("the first step is η against the sign, whatever the size of the gradient", () => {
    for (const g of [1e-3, 5, -400]) {
      expect(trajectory(adamWith({ learningRate: 0.1, epsilon: 1e-15 }), 2, [g])[0]).toBeCloseTo(
        2 - 0.1 * Math.sign(g),
        9,
      );
    }
  });

  test("by hand: two steps", () => {
    // t = 2: m = 0.5·0.5 + 0.5·3 = 1.75, m̂ = 1.75/0.75; s = 0.75·0.25 + 0.25·9 = 2.4375, ŝ = 2.4375/0.4375
    const rule = adamWith({ learningRate: 1, beta1: 0.5, beta2: 0.75, epsilon: 1e-12 });
    const path = trajectory(rule, 0, [1, 3]);
    expect(path[0]).toBeCloseTo(-1, 11);
    expect(path[1]).toBeCloseTo(-1 - 1.75 / 0.75 / Math.sqrt(2.4375 / 0.4375), 10);
  });

  test("by two roads: the bias-corrected means are weighted averages of all gradients", () => {
    const [beta1, beta2, learningRate, epsilon] = [0.9, 0.99, 0.01, 1e-3];
    const gradients = Array.from(seeded(3).fillNormal(new Float64Array(20)));
    let x = 1;
    const expected = gradients.map((_, t) => {
      const average = (beta: number, power: number): number => {
        const weights = gradients.slice(0, t + 1).map((_, i) => beta ** (t - i));
        const total = weights.reduce((sum, w) => sum + w);
        return weights.reduce((sum, w, i) => sum + w * gradients[i]! ** power, 0) / total;
      };
      return (x -= (learningRate * average(beta1, 1)) / (Math.sqrt(average(beta2, 2)) + epsilon));
    });
    const got = trajectory(adamWith({ learningRate, beta1, beta2, epsilon }), 1, gradients);
    got.forEach((value, t) => expect(value).toBeCloseTo(expected[t]!, 12));
  });

  test("decoupled decay shrinks the value and leaves the step alone; coupled decay enters the gradient", () => {
    const options = { learningRate: 0.1, weightDecay: 0.5, epsilon: 1e-15 };
    // x = 2·(1 − 0.05) − 0.1, where the coupled step is 0.1 however strong the decay
    expect(trajectory(adamWith({ ...options, decoupled: true }), 2, [3])[0]).toBeCloseTo(1.8, 12);
    expect(trajectory(adamWith(options), 2, [3])[0]).toBeCloseTo(1.9, 12);
    expect(trajectory(adamWith(options), 2, [-0.5])[0]).toBeCloseTo(1.9, 12);
  });

  test("out of range options are refused", () => {
    const options = adamOptions.parse({});
    expect(() => adam({ ...options, beta2: 1 })).toThrow("adam.beta2: expected 0 to below 1, got 1");
    expect(() => adam({ ...options, epsilon: 0 })).toThrow("adam.epsilon: expected a number > 0, got 0");
  });
});

describe.each([
  ["sgd", { name: "sgd", learningRate: 0.3 }],
  ["sgd with momentum", { name: "sgd", learningRate: 0.1, momentum: 0.8 }],
  ["adam", { name: "adam", learningRate: 0.05 }],
  ["adamW", { name: "adam", learningRate: 0.05, decoupled: true }],
])("%s", (_, given) => {
  test("reaches the bottom of a parabola", () => {
    expect(minimized(resolved(given), 600).sub(1).abs().max().item()).toBeLessThan(1e-4);
  });

  test("an update leaves its arguments as they are, and the same arguments give the same result", () => {
    const rule = resolved({ ...given, weightDecay: 0.1 });
    const value = engine.tensor([2], [1, -2]);
    const gradient = engine.tensor([2], [0.5, 3]);
    const first = rule.update(value, gradient, rule.init(value));
    const once = rule.update(first.value, gradient, first.state);
    const again = rule.update(first.value, gradient, first.state);
    expect(Array.from(value.values())).toEqual([1, -2]);
    expect(Array.from(again.value.values())).toEqual(Array.from(once.value.values()));
  });

  test("goes on from a state that went through numbers", () => {
    const rule = resolved(given);
    const value = engine.tensor([2], [1, -2]);
    const gradient = engine.tensor([2], [0.5, 3]);
    const { value: moved, state } = rule.update(value, gradient, rule.init(value));
    const copy = mapTensors(state, (t) => engine.tensor(t.shape, Array.from(t.values()))) as Tree;
    const next = rule.update(moved, gradient, copy).value;
    expect(Array.from(next.values())).toEqual(Array.from(rule.update(moved, gradient, state).value.values()));
  });

  test("a gradient of another shape is refused", () => {
    const rule = resolved(given);
    const value = engine.fill([2, 3], 0);
    expect(() => rule.update(value, engine.fill([2, 1], 0), rule.init(value))).toThrow(
      "gradient: expected length 3 along axis 1, got 1",
    );
  });
});

test("every option has a default and a description", () => {
  for (const { options } of Object.values(optimizers)) {
    expect(() => options.parse({})).not.toThrow();
    for (const entry of Object.values(options.shape)) expect(entry.description?.length).toBeGreaterThan(2);
  }
});
