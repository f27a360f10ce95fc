import { readFileSync } from "node:fs";
import { describe, expect, jest, test } from "@jest/globals";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { expectClose, tolerance } from "../support/close.ts";
import { expectGradient, type Point, spreadPoint, type TensorFunction } from "../support/gradients.ts";
import { imageOps } from "./engineImageOps.ts";
import { type HostArray, type Op, shapeOf } from "./engineOp.ts";
import { ops } from "./engineOps.ts";

/**
 * Sends every operation through the laws that hold for all of them.
 *
 * @param exact the float64 engine to compare a float32 engine with, where there is one.
 */
export function describeOps(engine: Engine, exact: Engine | undefined): void {
  test("every operation of tensors has a row", () => {
    expect(asked(engine)).toEqual(new Set(operations()));
  });

  describe.each([...ops, ...imageOps].map((op) => [op.name, op] as const))("%s", (_, op) => {
    test("gives the values worked out by hand", () => {
      engine.scope(() => {
        const inputs = op.inputs.map((input) => tensorOf(engine, input));
        const result = op.f(inputs, engine);
        expect([...result.shape]).toEqual(op.output.shape);
        expectClose(result.values(), op.output.values, tolerance(engine.dtype));
      });
    });

    if (op.constant) {
      test("has gradient zero", () => {
        engine.scope(() => {
          const inputs = op.inputs.map((input) => tensorOf(engine, input));
          const { gradients } = engine.gradients((...x) => op.f(x, engine).mul(1).sum(), inputs);
          for (const gradient of gradients) {
            expectClose(gradient.values(), new Float64Array(sizeOf(gradient.shape)), 0);
          }
        });
      });
      return;
    }

    test("has the right first and second derivatives", () => {
      expectGradient(engine, functionOf(op), pointsOf(op), exact);
    });

    if (exact === undefined || exact === engine) return;
    test("agrees with float64", () => {
      const [mine, theirs] = [engine, exact].map((which) =>
        which.scope(() =>
          op
            .f(
              pointsOf(op).map((point) => tensorOf(which, point)),
              which,
            )
            .values(),
        ),
      );
      expectClose(mine!, theirs!, tolerance(engine.dtype));
    });
  });
}

/** Names of the operations that the interface of tensors has: its methods, but for those that end a computation. */
function operations(): string[] {
  const source = readFileSync(new URL("../../src/engines/engine.ts", import.meta.url), "utf8");
  const [, tensor] = /export interface Tensor \{(.*?)^\}/ms.exec(source)!;
  const names = [...tensor!.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1]!);
  return names.filter((name) => !["values", "item", "dispose"].includes(name));
}

/** Names of the operations that the rows ask for themselves; what these do inside does not count. */
function asked(engine: Engine): Set<string> {
  const methods = engine.scope(() => Object.getPrototypeOf(engine.fill([], 0)) as Record<string, unknown>);
  const names = new Set<string>();
  let depth = 0;
  const spies = operations().map((name) => {
    const method = methods[name] as (...given: unknown[]) => unknown;
    return jest.spyOn(methods as Record<string, () => unknown>, name).mockImplementation(function (
      this: unknown,
      ...given: unknown[]
    ) {
      if (depth++ === 0) names.add(name);
      try {
        return method.apply(this, given);
      } finally {
        depth--;
      }
    });
  });
  try {
    engine.scope(() => {
      for (const op of [...ops, ...imageOps])
        op.f(
          op.inputs.map((input) => tensorOf(engine, input)),
          engine,
        );
    });
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
  return names;
}

function tensorOf(engine: Engine, { shape, values }: HostArray | Point): Tensor {
  return engine.tensor(shape, values);
}

function pointsOf({ at, inputs, range = [-1.5, 1.5] }: Op): Point[] {
  const shapes = at?.map(shapeOf) ?? inputs.map(({ shape }) => shape);
  return shapes.map((shape, i) => spreadPoint(shape, range, 11 + i));
}

function functionOf({ f }: Op): TensorFunction {
  return (...inputs) => f(inputs, inputs[0]!.engine);
}
