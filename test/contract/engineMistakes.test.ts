import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { InputError } from "../../src/core/errors.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { tfjsEngine } from "../../src/engines/tfjs/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { describeEngines, engines } from "../support/engines.ts";
import { engineCalls, type Kind, tensorCalls, wrongFor } from "./engineArguments.ts";

type Method = (...given: unknown[]) => unknown;

const candidates = await engines();

/** Another engine of the same kind. */
async function sibling({ name, dtype }: Engine): Promise<Engine> {
  if (name.startsWith("tfjs")) return tfjsEngine();
  return torchEngine({ dtype, threads: 1, device: name === "torch-cuda" ? "cuda" : "cpu" });
}

const labelOf = (value: unknown): string => inspect(value, { depth: 1, maxArrayLength: 7 }).slice(0, 80);

/** Nothing if the call is refused by an InputError that names the method; else what came of it. */
function objection(engine: Engine, name: string, call: () => unknown): string | undefined {
  try {
    const result = engine.scope(call);
    return `returned ${labelOf(result)}`;
  } catch (error) {
    if (error instanceof InputError && error.message.startsWith(name)) return undefined;
    return String((error as Error).stack ?? error);
  }
}

describeEngines(candidates, (engine) => {
  const strangers = candidates.flatMap((candidate) =>
    candidate.engine === undefined || candidate.engine === engine ? [] : [candidate.engine.fill([2], 1)],
  );

  /** What is wrong with how a method takes wrong arguments, one at a time among right ones. */
  const objections = (
    name: string,
    kinds: readonly (Kind | readonly [Kind])[],
    call: (change: (right: unknown[]) => unknown[]) => unknown,
  ): string[] =>
    engine.scope(() => {
      const gone = engine.fill([2], 1);
      gone.dispose();
      const wrong = wrongFor(engine, [...strangers, gone]);
      return kinds.flatMap((kind, position) => {
        const values: readonly unknown[] = wrong[typeof kind === "string" ? kind : kind[0]];
        return values.flatMap((value) => {
          const said = objection(engine, name, () => call((right) => right.with(position, value)));
          return said === undefined ? [] : [`argument ${position} = ${labelOf(value)}: ${said}`];
        });
      });
    });

  describe.each(Object.entries(tensorCalls))("%s", (name, { on = [2], given, kinds }) => {
    const call = (x: Tensor, values: unknown[]): unknown =>
      (x as unknown as Record<string, Method>)[name]!(...values);

    test("works as it is meant to, and with int32 where that is a number like another", () => {
      expect(() => engine.scope(() => call(engine.fill(on, 1), given(engine)))).not.toThrow();
      const whole = (): Tensor => engine.indices(Array(on.reduce((a, b) => a * b)).fill(1)).reshape(on);
      expect(() => engine.scope(() => call(whole(), given(engine)))).not.toThrow();
    });

    test("refuses wrong arguments, and leaves nothing behind", () => {
      const before = engine.liveTensors();
      const said = objections(name, kinds, (change) => call(engine.fill(on, 1), change(given(engine))));
      expect(said).toEqual([]);
      expect(engine.liveTensors()).toBe(before);
    });

    test("refuses a tensor that was disposed, and one of a closed engine", async () => {
      const gone = engine.fill(on, 1);
      gone.dispose();
      expect(objection(engine, name, () => call(gone, given(engine)))).toBeUndefined();
      const other = await sibling(engine);
      const [left, rest] = [other.fill(on, 1), given(other)];
      other.close();
      expect(objection(engine, name, () => call(left, rest))).toBeUndefined();
      expect(() => left.dispose()).not.toThrow();
    });
  });

  describe.each(Object.entries(engineCalls))("%s", (name, { given, kinds }) => {
    const call = (on: Engine, values: unknown[]): unknown =>
      (on as unknown as Record<string, Method>)[name]!(...values);

    test("works as it is meant to", () => {
      expect(() => engine.scope(() => call(engine, given(engine)))).not.toThrow();
    });

    test("refuses wrong arguments", () => {
      expect(objections(name, kinds, (change) => call(engine, change(given(engine))))).toEqual([]);
    });

    test("refuses to work once the engine is closed", async () => {
      const other = await sibling(engine);
      other.close();
      expect(objection(engine, name, () => call(other, given(engine)))).toBeUndefined();
    });
  });

  describe("arguments that do not fit each other", () => {
    const ones = (...shape: number[]): Tensor => engine.fill(shape, 1);
    const image = (): Tensor => ones(1, 4, 4, 2);
    const row = (): Tensor => ones(1, 2 ** 20);
    const column = (): Tensor => ones(2 ** 20, 1);
    const normalized = (scale: Tensor, shift: Tensor): Tensor =>
      image().instanceNormRelu(scale, shift, { epsilon: 0, pooling: "avg" });
    test.each<[string, () => unknown, RegExp]>([
      ["a wrong number of values", () => engine.tensor([2, 2], [1, 2, 3]), /^tensor: expected 4 values/],
      ["shapes that do not broadcast", () => ones(2).add(ones(3)), /^add: .*\[2\].*\[3\]/],
      ["lengths 0 and 2", () => ones(2).mul(ones(0)), /^mul: .*\[2\].*\[0\]/],
      ["a result beyond all memory", () => row().add(column()), /^add: expected .* memory/],
      ["a product beyond all memory", () => column().matMul(row()), /^matMul: expected .* memory/],
      ["a comparison beyond all memory", () => row().greater(column()), /^greater: expected .* memory/],
      [
        "margins beyond all memory",
        () =>
          row().pad([
            [0, 2 ** 21],
            [0, 0],
          ]),
        /^pad: expected .* memory/,
      ],
      [
        "a broadcast beyond all memory",
        () => row().broadcastTo([2 ** 20, 2 ** 20]),
        /^broadcastTo: .* memory/,
      ],
      [
        "rows beyond all memory",
        () => row().gather(engine.indices(new Int32Array(2 ** 20))),
        /^gather: expected .* memory/,
      ],
      ["a reshape of another size", () => ones(2).reshape([3]), /^reshape: .*\[2\].*\[3\]/],
      ["a slice beyond the end", () => ones(2).slice([1], [2]), /^slice: .*\[2\]/],
      ["a slice of too few axes", () => ones(2, 2).slice([1], [1]), /^slice: .*\[2, 2\]/],
      ["an axis that is not there", () => ones(2).sum(1), /^sum: expected an axis/],
      ["an axis of a scalar", () => ones().mean(0), /^mean: expected an axis of \[\]/],
      ["an axis twice", () => ones(2).sum([0, -1]), /^sum: expected each axis once/],
      ["the largest of nothing", () => ones(2, 0).max(), /^max: expected elements/],
      ["the position of the largest of nothing", () => ones(2, 0).argmax(1), /^argmax: expected elements/],
      ["a softmax of a scalar", () => ones().logSoftmax(), /^logSoftmax: expected an axis/],
      ["a transpose without all axes", () => ones(2, 3).transpose([0, 0]), /^transpose: expected/],
      ["a broadcast to a smaller shape", () => ones(2, 3).broadcastTo([3]), /^broadcastTo/],
      ["a broadcast of two to one", () => ones(2).broadcastTo([1]), /^broadcastTo/],
      ["a pad of too few axes", () => ones(2, 3).pad([[0, 0]]), /^pad: expected/],
      ["inner lengths that differ", () => ones(2, 3).matMul(ones(2, 3)), /^matMul: expected/],
      ["batches that differ", () => ones(2, 1, 1).matMul(ones(3, 1, 1)), /^matMul: expected/],
      ["a product with a vector", () => ones(2, 3).matMul(ones(3)), /^matMul: expected/],
      ["an index beyond the end", () => ones(2).gather(engine.indices([0, 2])), /^gather: .* got 2/],
      ["an index below 0", () => ones(2).gather(engine.indices([-1])), /^gather: .* got -1/],
      ["an index into nothing", () => ones(0).gather(engine.indices([0])), /^gather: .* got 0/],
      ["float indices", () => ones(2).gather(ones(2)), /^gather: .*int32/],
      ["indices in two axes", () => ones(2).gather(engine.indices([1]).reshape([1, 1])), /^gather: .*int32/],
      ["concat of nothing", () => engine.concat([]), /^concat: expected at least one/],
      ["concat of other lengths", () => engine.concat([image(), ones(2)]), /^concat: expected/],
      ["concat of other types", () => engine.concat([ones(1), engine.indices([1])]), /^concat: .*int32/],
      ["concat of scalars", () => engine.concat([ones(), ones()]), /^concat: expected an axis/],
      [
        "gradients at int32",
        () => engine.gradients((x) => x!.sum(), [engine.indices([1])]),
        /^gradients: .*int32/,
      ],
      ["a gradient of int32", () => engine.gradients((x) => x!.argmax(0), [ones(1)]), /^gradients: .*int32/],
      ["filters of other inputs", () => image().conv2d(ones(1, 3, 3, 1)), /^conv2d/],
      ["filters in three axes", () => image().conv2d(ones(3, 3, 2)), /^conv2d/],
      ["filters without pixels", () => image().conv2d(ones(1, 0, 3, 2)), /^conv2d/],
      ["images without pixels", () => ones(1, 0, 4, 2).conv2d(ones(1, 1, 1, 2), { padding: 1 }), /^conv2d/],
      ["filters larger than the images", () => image().conv2d(ones(1, 5, 5, 2)), /^conv2d: filters/],
      ["a bias of another length", () => image().conv2d(ones(3, 1, 1, 2), { bias: ones(2) }), /^conv2d.bias/],
      [
        "a bias that would broadcast",
        () => image().conv2d(ones(3, 1, 1, 2), { bias: ones(1) }),
        /^conv2d.bias/,
      ],
      ["stride zero", () => image().conv2d(ones(1, 3, 3, 2), { stride: 0 }), /^conv2d.stride/],
      ["windows larger than the images", () => image().avgPool(5), /^avgPool: expected .* 5×5/],
      ["windows on three axes", () => ones(4, 4, 2).maxPool(2), /^maxPool: expected/],
      ["scales of other channels", () => normalized(ones(3), ones(2)), /^instanceNormRelu: expected/],
      ["shifts of other channels", () => normalized(ones(2), ones(1)), /^instanceNormRelu: expected/],
      [
        "widths that differ",
        () => ones(2, 3).characteristic(ones(5, 2), [2]),
        /^characteristic: d is both 3 and 2/,
      ],
      [
        "frequencies that are no matrix",
        () => ones(2, 3).characteristic(ones(3), [2]),
        /^characteristic: .* axes/,
      ],
      [
        "groups of more rows",
        () => ones(2, 3).characteristic(ones(5, 3), [2, 1]),
        /^characteristic: .*\[2, 1\] of/,
      ],
      [
        "a group without rows",
        () => ones(2, 3).characteristic(ones(5, 3), [2, 0]),
        /^characteristic.counts: .* 0/,
      ],
      ["no groups", () => ones(0, 3).characteristic(ones(5, 3), []), /^characteristic: expected 0 rows/],
      [
        "a layer whose pooling leaves nothing",
        () =>
          image().convolvedBlock(ones(1, 4, 4, 2), {
            scale: ones(1),
            shift: ones(1),
            epsilon: 0,
            pooling: "avg",
          }),
        /^convolvedBlock: expected images of at least 2×2/,
      ],
      ["item of several elements", () => ones(2).item(), /^item: expected/],
      ["item of none", () => ones(0).item(), /^item: expected/],
    ])("%s: an InputError that says where", (_, run, message) => {
      expect(() => engine.scope(run)).toThrow(message);
      expect(() => engine.scope(run)).toThrow(expect.objectContaining({ name: "InputError" }));
    });
  });
});
