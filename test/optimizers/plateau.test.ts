import { afterAll, describe, expect, test } from "@jest/globals";
import { choice } from "../../src/core/options.ts";
import { decodeTree, encodeTree } from "../../src/formats/tree.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { Tensor, Tree } from "../../src/engines/index.ts";
import {
  adamOptions,
  clamped,
  type Optimizer,
  perClass,
  plateau,
  schedules,
  scheduledOptimizer,
  sgd,
} from "../../src/optimizers/index.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const plain = { momentum: 0, weightDecay: 0 };
const values = (tensor: Tensor): number[] => Array.from(tensor.values());

describe("a rate that falls on a plateau", () => {
  const losses = [
    5, 4, 3.99, 3.97, 4.5, 3.96, 3.95, 3.94, 3.9, 2, 2.1, 2.2, 1.985, 1.979, 3, 3, 3, 3, 3, 3, 3,
  ];
  // torch 1.13: SGD at rate 1 with ReduceLROnPlateau(factor=0.5, patience=2, threshold=0.01), which reads the rate, then the loss.
  const rates = [
    1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125,
    0.0625,
  ];
  const rule = plateau({ factor: 0.5, patience: 2, threshold: 0.01 }, (scale) =>
    sgd({ ...plain, learningRate: scale }),
  );

  test("falls where PyTorch's does", () => {
    let value = engine.fill([1], 0);
    let state = rule.init(value);
    const moves = losses.map((_, step) => {
      const at = rule.approach!(value, state, step === 0 ? null : losses[step - 1]!);
      const next = rule.update(at.value, engine.fill([1], -1), at.state);
      const move = next.value.sub(value).item();
      ({ value, state } = next);
      return move;
    });
    expect(moves).toEqual(rates);
  });

  test("is at full rate before the first loss, and keeps its state through bytes", () => {
    const value = engine.fill([2], 1);
    const first = rule.approach!(value, rule.init(value), null);
    expect(first.state).toMatchObject({ best: null, waited: 0, falls: 0 });
    const { state } = rule.approach!(value, first.state, 3);
    expect(state).toMatchObject({ best: 3, waited: 0 });
    const { tree } = decodeTree(encodeTree(state), engine);
    expect(tree).toMatchObject({ best: 3, waited: 0, falls: 0 });
  });

  test("is the rate of every class, where steps go class after class", () => {
    const halved = (scale: number): Optimizer =>
      perClass(sgd({ ...plain, momentum: 0.5, learningRate: scale }), 2);
    const slow = plateau({ factor: 0.5, patience: 0, threshold: 0 }, halved);
    const gradient = engine.tensor([2, 1], [1, 2]);
    const start = engine.fill([2, 1], 0);
    // Two losses that are no better: the rate falls before the third step.
    const run = (from: Optimizer, loss: number | null): number[] => {
      let [value, state]: [Tensor, Tree] = [start, from.init(start)];
      for (let step = 0; step < 2; step++) {
        const at = from.approach!(value, state, step === 0 ? null : loss);
        ({ value, state } = from.update(at.value, gradient, at.state));
      }
      const at = from.approach!(value, state, loss);
      return values(from.update(at.value, gradient, at.state).value);
    };
    expect(run(slow, null)).toEqual(run(halved(1), null));
    expect(run(slow, 1)).not.toEqual(run(halved(1), 1));
  });

  test("scales the rate of any rule, and constant leaves it as it is", () => {
    const chosen = {
      name: "adam",
      ...adamOptions.parse({ learningRate: 0.01, weightDecay: 0.1, decoupled: true }),
    } as const;
    expect(scheduledOptimizer(chosen, choice(schedules).parse("constant")).name).toBe(
      "adamW(0.01, 0.9, 0.999, 1e-8, 0.1)",
    );
    const falling = scheduledOptimizer(chosen, {
      name: "plateau",
      factor: 0.5,
      patience: 500,
      threshold: 1e-4,
    });
    expect(falling.name).toBe("plateau(adamW(0.01, 0.9, 0.999, 1e-8, 0.1), 0.5, 500, 0.0001)");
  });
});

describe("values within bounds", () => {
  const bounds = { low: [-1, 0], high: [1, 0.5] };
  const rule = clamped(sgd({ ...plain, momentum: 0.5, learningRate: 1 }), bounds);

  test("are set to them before the gradient is taken and after the update, channel by channel", () => {
    const start = engine.tensor([1, 2, 2], [-3, -3, 0.5, 0.75]);
    const at = rule.approach!(start, rule.init(start));
    expect(values(at.value)).toEqual([-1, 0, 0.5, 0.5]);
    const moved = rule.update(at.value, engine.tensor([1, 2, 2], [1, -0.25, -0.25, 0]), at.state);
    expect(values(moved.value)).toEqual([-1, 0.25, 0.75, 0.5]);
  });

  test("leave momentum as it is", () => {
    const start = engine.tensor([1, 2], [0.9, 0.25]);
    const first = rule.update(start, engine.tensor([1, 2], [-0.5, 0]), rule.init(start));
    expect(values(first.value)).toEqual([1, 0.25]); // 1.4, clamped
    const second = rule.update(first.value, engine.tensor([1, 2], [1, 0]), first.state);
    expect(values(second.value)).toEqual([0.25, 0.25]); // v = 0.5 · (−0.5) + 1
  });

  test("need a bound for each channel", () => {
    expect(() => rule.init(engine.fill([2, 3], 0))).toThrow(
      "clamped: expected bounds for the 3 channels of shape 2×3, got 2 and 2",
    );
  });
});
