import { describe, expect, test } from "@jest/globals";
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
