import { sizeOf } from "../../core/shape.ts";
import type { Operand } from "../engine.ts";
import { numberOf } from "../given.ts";
import { broadcastTo, sumTo } from "./layout.ts";
import { broadcastShape, sameShape } from "../shapes.ts";
import type { TfjsTensor } from "./tensor.ts";

/** A kernel y = f(x), and the gradient at x from the gradient g at y. */
interface Unary {
  readonly kernel: string;
  readonly rule: (g: TfjsTensor, x: TfjsTensor, y: TfjsTensor) => TfjsTensor;
}

const unaries = {
  // d(−x) = −dx
  neg: { kernel: "Neg", rule: (g) => g.neg() },
  // d eˣ = eˣ dx
  exp: { kernel: "Exp", rule: (g, _, y) => g.mul(y) },
  // d log x = dx / x
  log: { kernel: "Log", rule: (g, x) => g.div(x) },
  // d √x = dx / 2√x
  sqrt: { kernel: "Sqrt", rule: (g, _, y) => g.div(y.mul(2)) },
  // d x^(−1/2) = −½ x^(−3/2) dx
  rsqrt: { kernel: "Rsqrt", rule: (g, _, y) => g.mul(y.square().mul(y)).mul(-0.5) },
  // d x² = 2x dx
  square: { kernel: "Square", rule: (g, x) => g.mul(x.mul(2)) },
  // d |x| = sign(x) dx
  abs: { kernel: "Abs", rule: (g, x) => g.mul(sign(x)) },
  // d sin x = cos x dx
  sin: { kernel: "Sin", rule: (g, x) => g.mul(x.cos()) },
  // d cos x = −sin x dx
  cos: { kernel: "Cos", rule: (g, x) => g.mul(x.sin().neg()) },
  // d tanh x = (1 − tanh² x) dx
  tanh: { kernel: "Tanh", rule: (g, _, y) => g.sub(g.mul(y.square())) },
  // d σ(x) = σ(x) (1 − σ(x)) dx
  sigmoid: { kernel: "Sigmoid", rule: (g, _, y) => g.mul(y.sub(y.square())) },
  // d max(x, 0) = [x > 0] dx
  relu: { kernel: "Relu", rule: (g, x) => g.mul(step(x)) },
} satisfies Record<string, Unary>;

export function unary(name: keyof typeof unaries, operand: TfjsTensor): TfjsTensor {
  const x = operand.float();
  const { kernel, rule }: Unary = unaries[name];
  return x.engine.tape.record(x.engine.run(kernel, { x: x.memory }), [x], [(g, y) => rule(g, x, y)]);
}

/** A kernel y = f(a, b), and the gradients at a and b before they are summed over broadcast axes. */
interface Binary {
  readonly kernel: string;
  /** Whether WebAssembly broadcasts quickly: where XNNPACK has the kernel. The others take up to 20 times as long. */
  readonly broadcasts: boolean;
  readonly left: (g: TfjsTensor, a: TfjsTensor, b: Operand) => TfjsTensor;
  readonly right: (g: TfjsTensor, a: TfjsTensor, b: TfjsTensor, y: TfjsTensor) => TfjsTensor;
}

const binaries = {
  // d(a + b) = da + db
  add: { kernel: "Add", broadcasts: true, left: (g) => g, right: (g) => g },
  // d(a − b) = da − db
  sub: { kernel: "Sub", broadcasts: true, left: (g) => g, right: (g) => g.neg() },
  // d(ab) = b da + a db
  mul: { kernel: "Multiply", broadcasts: true, left: (g, _, b) => g.mul(b), right: (g, a) => g.mul(a) },
  // d(a/b) = da / b − (a/b) db / b
  div: {
    kernel: "RealDiv",
    broadcasts: true,
    left: (g, _, b) => g.div(b),
    right: (g, _, b, y) => g.mul(y).div(b).neg(),
  },
  // d max(a, b) = [a > b] da + [b > a] db
  maximum: {
    kernel: "Maximum",
    broadcasts: false,
    left: (g, a, b) => g.mul(a.greater(b)),
    right: (g, a, b) => g.mul(b.greater(a)),
  },
  // d min(a, b) = [b > a] da + [a > b] db
  minimum: {
    kernel: "Minimum",
    broadcasts: false,
    left: (g, a, b) => g.mul(a.neg().greater(typeof b === "number" ? -b : b.neg())),
    right: (g, a, b) => g.mul(a.greater(b)),
  },
} satisfies Record<string, Binary>;

export function binary(name: keyof typeof binaries, left: TfjsTensor, right: Operand): TfjsTensor {
  const { engine } = left;
  const op: Binary = binaries[name];
  const a = left.float();
  const b = typeof right === "number" ? right : engine.own(name, right).float();
  if (typeof b === "number") {
    return engine.tape.record(apply(op, name, [a, b]), [a], [(g) => op.left(g, a, b)]);
  }
  return engine.tape.record(
    apply(op, name, [a, b]),
    [a, b],
    [(g) => sumTo(op.left(g, a, b), a.shape), (g, y) => sumTo(op.right(g, a, b, y), b.shape)],
  );
}

/** d x^p = p x^(p−1) dx; for p = 0 the power is constant, also at x = 0, where x^(−1) is infinite. */
export function power(base: TfjsTensor, exponent: number): TfjsTensor {
  const x = base.float();
  numberOf("pow", exponent);
  const kernel = { kernel: "Pow", broadcasts: false };
  return x.engine.tape.record(
    apply(kernel, "pow", [x, exponent]),
    [x],
    [(g) => (exponent === 0 ? g.mul(0) : g.mul(x.pow(exponent - 1).mul(exponent)))],
  );
}

const comparisons = { greater: "Greater", equal: "Equal" };

/** 1 where the comparison holds, else 0; a constant. */
export function comparison(name: keyof typeof comparisons, left: TfjsTensor, right: Operand): TfjsTensor {
  const { engine } = left;
  return engine.constant(() => {
    const a = left.float();
    const b = typeof right === "number" ? right : engine.own(name, right).float();
    const holds = apply({ kernel: comparisons[name], broadcasts: false }, name, [a, b]);
    return engine.run("Cast", { x: holds.memory }, { dtype: "float32" });
  });
}

/** Runs a binary kernel on broadcast operands; the result is not recorded. */
function apply(
  { kernel, broadcasts }: Pick<Binary, "kernel" | "broadcasts">,
  name: string,
  [a, b]: readonly [TfjsTensor, TfjsTensor | number],
): TfjsTensor {
  const { engine } = a;
  return engine.constant(() => {
    if (typeof b === "number") {
      return engine.run(kernel, { a: a.memory, b: engine.fill([], b).memory });
    }
    const shape = broadcastShape(name, a.shape, b.shape);
    const spread = !broadcasts && engine.isWasm;
    const [left, right] = [a, b].map((operand) =>
      spread && !sameShape(operand.shape, shape) && sizeOf(operand.shape) > 1
        ? broadcastTo(operand, shape)
        : operand,
    );
    return engine.run(kernel, { a: left!.memory, b: right!.memory });
  });
}

/** 1 where x > 0, else 0; NaN where x is. A constant: its derivative is zero wherever it has one. */
export const step = (x: TfjsTensor): TfjsTensor => x.engine.run("Step", { x: x.memory }, { alpha: 0 });

const sign = (x: TfjsTensor): TfjsTensor => x.engine.run("Sign", { x: x.memory });
