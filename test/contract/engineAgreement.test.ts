import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { InputError } from "../../src/core/errors.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { expectClose } from "../support/close.ts";
import { engines } from "../support/engines.ts";
import { spreadPoint } from "../support/gradients.ts";

/** A call of a method with arguments of the right types, which may be wrong in every other way. */
interface Call {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly given: readonly unknown[];
  readonly run: (engine: Engine, tensors: Tensor[]) => Tensor;
}

/** What an engine made of a call. */
type Outcome =
  | {
      readonly shape: Shape;
      readonly dtype: string;
      readonly values: readonly number[];
      readonly gradients: readonly number[][];
    }
  | { readonly refusal: string };

const length = fc.constantFrom(0, 1, 1, 2, 2, 3);
const shapeOf = (maxLength: number): fc.Arbitrary<number[]> => fc.array(length, { maxLength });
const shape = fc.oneof({ weight: 4, arbitrary: shapeOf(4) }, shapeOf(6));
const axis = fc.integer({ min: -7, max: 6 });
/** Mostly axes that a tensor of this rank has. */
const axisOf = (rank: number): fc.Arbitrary<number> =>
  rank === 0 ? axis : fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -rank, max: rank - 1 }) }, axis);

/** Mostly a shape that broadcasts with this one. */
const companion = (on: Shape): fc.Arbitrary<Shape> =>
  fc.oneof(
    { weight: 1, arbitrary: shape },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.nat({ max: on.length }), fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }))
        .map(([dropped, single]) => on.slice(dropped).map((size, i) => (single[i] ? 1 : size))),
    },
  );

type Method = (...given: unknown[]) => Tensor;
const method = (x: Tensor, name: string): Method => (x as unknown as Record<string, Method>)[name]!.bind(x);

/** A method of the first tensor that takes the others and then the rest. */
const call = (name: string, shapes: readonly Shape[], ...given: unknown[]): Call => ({
  name,
  shapes,
  given,
  run: (_, [x, ...others]) => method(x!, name)(...others, ...given),
});

const unaries = ["neg", "exp", "log", "sqrt", "rsqrt", "square", "abs", "sin", "cos", "tanh", "sigmoid"];
const others = ["relu", "logSoftmax", "detach"];
const binaries = ["add", "sub", "mul", "div", "maximum", "minimum", "greater", "equal"];
const pairs = fc.shuffledSubarray([0, 1, 2, 3, 4, 5]);

const calls: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(fc.constantFrom(...unaries, ...others), shapeOf(6)).map(([name, on]) => call(name, [on])),
  fc
    .tuple(fc.constantFrom(...binaries), shape)
    .chain(([name, on]) => companion(on).map((other) => call(name, [on, other]))),
  fc
    .tuple(fc.constantFrom(...binaries, "pow"), shape, fc.constantFrom(-1, 0, 0.5, 1, 2, 3))
    .map(([name, on, number]) => call(name, [on], number)),
  fc.tuple(fc.constantFrom("sum", "mean", "max"), shapeOf(5), fc.boolean()).chain(([name, on, keep]) =>
    fc
      .option(fc.oneof(axisOf(on.length), fc.array(axisOf(on.length), { maxLength: 3 })), {
        nil: undefined,
      })
      .map((axes) => call(name, [on], axes, keep)),
  ),
  shape.chain((on) => axisOf(on.length).map((along) => call("argmax", [on], along))),
  shape.chain((on) =>
    fc
      .oneof(shape, fc.constant([sizeOf(on)]), fc.constant([...on, 1].reverse()))
      .map((to) => call("reshape", [on], to)),
  ),
  shapeOf(6).chain((on) =>
    fc
      .option(
        fc.oneof(
          pairs.map((order) => order.filter((i) => i < on.length)),
          fc.array(axis),
        ),
        { nil: undefined },
      )
      .map((order) => call("transpose", [on], order)),
  ),
  shape.chain((to) => companion(to).map((on) => call("broadcastTo", [on], to))),
  shape.chain((on) =>
    fc
      .tuple(...on.map((size) => fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: size }))))
      .map((parts) =>
        call(
          "slice",
          [on],
          parts.map(([begin]) => begin),
          parts.map(([, size]) => size),
        ),
      ),
  ),
  shape.chain((on) =>
    fc
      .tuple(...on.map(() => fc.tuple(fc.integer({ min: -1, max: 2 }).map(Math.abs), fc.nat({ max: 2 }))))
      .map((margins) => call("pad", [on], margins)),
  ),
  shape.chain((on) =>
    fc
      .tuple(axisOf(on.length), fc.array(fc.integer({ min: -1, max: 2 }), { maxLength: 4 }))
      .map(([along, positions]): Call => ({
        ...call("gather", [on], positions, along),
        run: (engine, [x]) => x!.gather(engine.indices(positions), along),
      })),
  ),
  fc.tuple(shapeOf(3), length, fc.array(length, { minLength: 1, maxLength: 3 })).chain(([on, wrong, parts]) =>
    axisOf(on.length).map((along): Call => {
      const place = along < 0 ? along + on.length : along;
      const shapes = parts.map((part, p) =>
        on.map((size, i) => (i === place ? part : p === 2 ? Math.max(size, wrong) : size)),
      );
      return { ...call("concat", shapes, along), run: (engine, tensors) => engine.concat(tensors, along) };
    }),
  ),
  fc.tuple(shapeOf(2), length, length, length, fc.constantFrom(0, 1, 2, 3)).map(([batch, n, k, m, kind]) =>
    call("matMul", [
      [...(kind === 1 ? [] : batch), n, k],
      [...(kind === 2 ? [] : batch), kind === 3 ? m : k, m],
    ]),
  ),
  fc
    .tuple(
      fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.nat({ max: 3 })),
      fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 4 })),
      fc.record({ stride: fc.constantFrom(1, 1, 2, 3, 7, 1e9), padding: fc.constantFrom(0, 0, 1, 2, 5) }),
    )
    .map(([images, filters, options]) => call("conv2d", [images, [...filters, images[3]]], options)),
  fc
    .tuple(
      fc.constantFrom("avgPool", "maxPool"),
      fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.nat({ max: 3 })),
      fc.nat({ max: 4 }),
    )
    .map(([name, images, size]) => call(name, [images], size)),
  fc
    .tuple(
      fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.nat({ max: 3 })),
      fc.constantFrom("avg", "max", "none"),
    )
    .map(([images, pooling]) =>
      call("instanceNormRelu", [images, [images[3]], [images[3]]], { epsilon: 0.1, pooling }),
    ),
  fc
    .tuple(
      fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.nat({ max: 3 })),
      fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 3 })),
      fc.record({ stride: fc.constantFrom(1, 1, 2, 7), padding: fc.constantFrom(0, 1, 1, 3) }),
      fc.constantFrom("avg", "max", "none"),
    )
    .map(([images, filters, options, pooling]): Call => {
      const shapes = [images, [...filters, images[3]], [filters[0]], [filters[0]]];
      const block = { ...options, epsilon: 0.1, pooling } as const;
      const run: Call["run"] = (_, [x, w, scale, shift]) =>
        x!.convolvedBlock(w!, { ...block, scale: scale!, shift: shift! });
      return { ...call("convolvedBlock", shapes, block), run };
    }),
  fc
    .tuple(fc.array(fc.nat({ max: 3 }), { maxLength: 3 }), length, length, length, fc.boolean())
    .map(([counts, d, f, other, real]): Call => {
      const rows = counts.reduce((sum, count) => sum + count, 0);
      const run: Call["run"] = (_, [x, omega]) => {
        const { re, im } = x!.characteristic(omega!, counts);
        return real ? re : im;
      };
      return {
        ...call(
          "characteristic",
          [
            [rows, d],
            [f, other === 0 ? 3 : d],
          ],
          counts,
        ),
        run,
      };
    }),
);

/** @param whole whether the inputs are int32. */
function outcome(engine: Engine, { name, shapes, run }: Call, whole: boolean): Outcome {
  return engine.scope(() => {
    // No number occurs twice: at equal maxima engines choose differently.
    const inputs = shapes.map((size, i) => {
      const { values } = spreadPoint(size, [0.5 + i / 64, 2 + i / 64], i + 1);
      return whole
        ? engine.indices(values.map((x) => Math.floor(1000 * x))).reshape(size)
        : engine.tensor(size, values);
    });
    try {
      const y = run(engine, inputs);
      const weighted = (result: Tensor): Tensor => result.mul(y.detach()).sum();
      const { gradients } = engine.gradients(
        (...x) => weighted(run(engine, whole ? inputs : x)),
        whole ? [] : inputs,
      );
      return {
        shape: [...y.shape],
        dtype: y.dtype === "int32" ? "int32" : "float",
        values: Array.from(y.values()),
        gradients: gradients.map((gradient) => Array.from(gradient.values())),
      };
    } catch (error) {
      if (error instanceof InputError && error.message.startsWith(name)) return { refusal: error.message };
      throw error;
    }
  });
}

const runs = 2000;
const found = (await engines()).flatMap((candidate) => candidate.engine ?? []);

test("engines refuse the same calls, by name, and agree on the results of the others", () => {
  let refused = 0;
  fc.assert(
    fc.property(calls, fc.nat({ max: 4 }), (given, kind) => {
      const [first, ...rest] = found.map((engine) => outcome(engine, given, kind === 0));
      if ("refusal" in first!) refused++;
      for (const other of rest) {
        if ("refusal" in first! || "refusal" in other) {
          expect([first, other]).toEqual([0, 1].map(() => ({ refusal: expect.any(String) as unknown })));
        } else {
          expect([other.dtype, other.shape]).toEqual([first!.dtype, first!.shape]);
          expectClose(other.values, first!.values, 1e-4);
          other.gradients.forEach((gradient, i) => expectClose(gradient, first!.gradients[i]!, 1e-3));
        }
      }
    }),
    { seed: 1, numRuns: runs },
  );
  // Both kinds of calls are there in numbers.
  expect(refused / runs).toBeGreaterThan(0.05);
  expect(refused / runs).toBeLessThan(0.5);
});
