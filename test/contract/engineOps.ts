import { array, type HostArray, type Op } from "./engineOp.ts";

const scalar = (value: number): HostArray => array("", value);
const vector = (...values: number[]): HostArray => array(`${values.length}`, ...values);

const row = vector(-2, 0.5, 3);
const matrix = array("2 3", 1, 2, 3, 4, 5, 6);
const box = array("2 2 2", 1, 2, 3, 4, 5, 6, 7, 8);
const positive = [0.3, 2.5] as const;

const arithmetic: Op[] = [
  { name: "add", f: ([a, b]) => a!.add(b!), inputs: [row, vector(1, 2, 3)], output: vector(-1, 2.5, 6) },
  { name: "add a number", f: ([a]) => a!.add(2), inputs: [row], output: vector(0, 2.5, 5) },
  {
    name: "add with broadcasting",
    f: ([a, b]) => a!.add(b!),
    inputs: [array("2 1", 1, 2), vector(10, 20, 30)],
    output: array("2 3", 11, 21, 31, 12, 22, 32),
  },
  {
    name: "sub",
    f: ([a, b]) => a!.sub(b!),
    inputs: [matrix, vector(1, 2, 3)],
    output: array("2 3", 0, 0, 0, 3, 3, 3),
  },
  { name: "sub a number", f: ([a]) => a!.sub(2), inputs: [row], output: vector(-4, -1.5, 1) },
  {
    name: "mul",
    f: ([a, b]) => a!.mul(b!),
    inputs: [matrix, array("2 1", 2, 3)],
    output: array("2 3", 2, 4, 6, 12, 15, 18),
    at: ["2 1 3", "4 1"],
  },
  { name: "mul by a number", f: ([a]) => a!.mul(-2), inputs: [row], output: vector(4, -1, -6) },
  { name: "mul by itself", f: ([a]) => a!.mul(a!), inputs: [row], output: vector(4, 0.25, 9) },
  {
    name: "div",
    f: ([a, b]) => a!.div(b!),
    inputs: [matrix, vector(1, 2, 4)],
    output: array("2 3", 1, 1, 0.75, 4, 2.5, 1.5),
    range: positive,
  },
  { name: "div by a number", f: ([a]) => a!.div(4), inputs: [row], output: vector(-0.5, 0.125, 0.75) },
  {
    name: "maximum",
    f: ([a, b]) => a!.maximum(b!),
    inputs: [matrix, vector(2, 1, 5)],
    output: array("2 3", 2, 2, 5, 4, 5, 6),
    at: ["2 3 1", "4"],
  },
  { name: "maximum with a number", f: ([a]) => a!.maximum(0.1), inputs: [row], output: vector(0.1, 0.5, 3) },
  {
    name: "minimum",
    f: ([a, b]) => a!.minimum(b!),
    inputs: [matrix, vector(2, 1, 5)],
    output: array("2 3", 1, 1, 3, 2, 1, 5),
    at: ["2 3 1", "4"],
  },
  { name: "minimum with a number", f: ([a]) => a!.minimum(0.1), inputs: [row], output: vector(-2, 0.1, 0.1) },
  { name: "pow", f: ([a]) => a!.pow(3), inputs: [row], output: vector(-8, 0.125, 27) },
  { name: "pow 3/2", f: ([a]) => a!.pow(1.5), inputs: [vector(1, 4)], output: vector(1, 8), range: positive },
  { name: "pow 1", f: ([a]) => a!.pow(1), inputs: [vector(0, 2)], output: vector(0, 2) },
  { name: "pow 0", f: ([a]) => a!.pow(0), inputs: [vector(0, 2)], output: vector(1, 1) },
];

const constants: Omit<Op, "constant">[] = [
  {
    name: "greater",
    f: ([a, b]) => a!.greater(b!),
    inputs: [row, vector(-3, 0.5, 4)],
    output: vector(1, 0, 0),
  },
  { name: "greater than a number", f: ([a]) => a!.greater(0.5), inputs: [row], output: vector(0, 0, 1) },
  { name: "equal", f: ([a, b]) => a!.equal(b!), inputs: [row, vector(-2, 0.5, 4)], output: vector(1, 1, 0) },
  { name: "equal to a number", f: ([a]) => a!.equal(0.5), inputs: [row], output: vector(0, 1, 0) },
  { name: "max", f: ([a]) => a!.max(), inputs: [matrix], output: scalar(6) },
  {
    name: "max over an axis",
    f: ([a]) => a!.max(0, true),
    inputs: [array("2 2", 1, 5, 2, 3)],
    output: array("1 2", 2, 5),
  },
  {
    name: "argmax",
    f: ([a]) => a!.argmax(-1),
    inputs: [array("2 3", 1, 3, 3, 2, 2, 1)],
    output: vector(1, 0),
  },
  {
    name: "argmax of columns",
    f: ([a]) => a!.argmax(0),
    inputs: [array("2 2", 1, 3, 2, 2)],
    output: vector(1, 0),
  },
  {
    name: "equal on positions",
    f: ([a]) => a!.argmax(1).equal(a!.engine.indices([1, 1])),
    inputs: [array("2 2", 1, 3, 2, 2)],
    output: vector(1, 0),
  },
  { name: "detach", f: ([a]) => a!.detach(), inputs: [row], output: row },
];

const functions: Op[] = [
  { name: "neg", f: ([a]) => a!.neg(), inputs: [row], output: vector(2, -0.5, -3) },
  { name: "exp", f: ([a]) => a!.exp(), inputs: [vector(0, 1)], output: vector(1, Math.E) },
  { name: "log", f: ([a]) => a!.log(), inputs: [vector(1, Math.E)], output: vector(0, 1), range: positive },
  { name: "sqrt", f: ([a]) => a!.sqrt(), inputs: [vector(4, 0.25)], output: vector(2, 0.5), range: positive },
  {
    name: "rsqrt",
    f: ([a]) => a!.rsqrt(),
    inputs: [vector(4, 0.25)],
    output: vector(0.5, 2),
    range: positive,
  },
  { name: "square", f: ([a]) => a!.square(), inputs: [row], output: vector(4, 0.25, 9) },
  { name: "abs", f: ([a]) => a!.abs(), inputs: [row], output: vector(2, 0.5, 3) },
  { name: "sin", f: ([a]) => a!.sin(), inputs: [vector(0, Math.PI / 2)], output: vector(0, 1) },
  { name: "cos", f: ([a]) => a!.cos(), inputs: [vector(0, Math.PI)], output: vector(1, -1) },
  { name: "tanh", f: ([a]) => a!.tanh(), inputs: [vector(0, Math.log(2))], output: vector(0, 0.6) },
  { name: "sigmoid", f: ([a]) => a!.sigmoid(), inputs: [vector(0, Math.log(3))], output: vector(0.5, 0.75) },
  { name: "relu", f: ([a]) => a!.relu(), inputs: [row], output: vector(0, 0.5, 3) },
  {
    name: "logSoftmax",
    f: ([a]) => a!.logSoftmax(),
    inputs: [array("2 2", 0, Math.log(3), 700, 700)],
    output: array("2 2", -Math.log(4), Math.log(0.75), -Math.LN2, -Math.LN2),
    at: ["3 4"],
  },
];

const reductions: Op[] = [
  { name: "sum", f: ([a]) => a!.sum(), inputs: [matrix], output: scalar(21) },
  { name: "sum of rows", f: ([a]) => a!.sum(0), inputs: [matrix], output: vector(5, 7, 9) },
  { name: "sum of columns", f: ([a]) => a!.sum(-1, true), inputs: [matrix], output: array("2 1", 6, 15) },
  {
    name: "sum over a middle axis",
    f: ([a]) => a!.sum(1),
    inputs: [box],
    output: array("2 2", 4, 6, 12, 14),
  },
  {
    name: "sum over middle axes",
    f: ([a]) => a!.sum([1, 2], true),
    inputs: [array("2 2 2 1", 1, 2, 3, 4, 5, 6, 7, 8)],
    output: array("2 1 1 1", 10, 26),
    at: ["2 2 3 2"],
  },
  { name: "sum over outer axes", f: ([a]) => a!.sum([0, 2]), inputs: [box], output: vector(14, 22) },
  { name: "mean", f: ([a]) => a!.mean(), inputs: [matrix], output: scalar(3.5) },
  {
    name: "mean of rows",
    f: ([a]) => a!.mean(0, true),
    inputs: [matrix],
    output: array("1 3", 2.5, 3.5, 4.5),
  },
];

const layout: Op[] = [
  {
    name: "reshape",
    f: ([a]) => a!.reshape([3, 2]),
    inputs: [matrix],
    output: array("3 2", 1, 2, 3, 4, 5, 6),
  },
  { name: "transpose", f: ([a]) => a!.transpose(), inputs: [matrix], output: array("3 2", 1, 4, 2, 5, 3, 6) },
  {
    name: "transpose in an order",
    f: ([a]) => a!.transpose([1, 2, 0]),
    inputs: [box],
    output: array("2 2 2", 1, 5, 2, 6, 3, 7, 4, 8),
    at: ["2 3 4"],
  },
  {
    name: "broadcastTo",
    f: ([a]) => a!.broadcastTo([2, 2, 3]),
    inputs: [array("2 1", 1, 2)],
    output: array("2 2 3", 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2),
  },
  {
    name: "broadcastTo of a scalar",
    f: ([a]) => a!.broadcastTo([2]),
    inputs: [scalar(3)],
    output: vector(3, 3),
  },
  {
    name: "slice",
    f: ([a]) => a!.slice([0, 1], [2, 2]),
    inputs: [matrix],
    output: array("2 2", 2, 3, 5, 6),
  },
  {
    name: "pad",
    f: ([a]) => a!.pad(Array.from([0, 1], (before) => [before, 1 - before])),
    inputs: [array("1 2", 1, 2)],
    output: array("2 3", 0, 1, 2, 0, 0, 0),
  },
  {
    name: "gather with repeats",
    f: ([a], engine) => a!.gather(engine.indices([1, 1, 0, 1])),
    inputs: [matrix],
    output: array("4 3", 4, 5, 6, 4, 5, 6, 1, 2, 3, 4, 5, 6),
  },
  {
    name: "gather along an axis",
    f: ([a], engine) => a!.gather(engine.indices([2, 0, 2]), 1),
    inputs: [matrix],
    output: array("2 3", 3, 1, 3, 6, 4, 6),
  },
  {
    name: "gather along the last axis",
    f: ([a], engine) => a!.gather(engine.indices([1, 1]), -1),
    inputs: [array("2 1 2", 1, 2, 3, 4)],
    output: array("2 1 2", 2, 2, 4, 4),
  },
  {
    name: "concat",
    f: (parts, engine) => engine.concat(parts),
    inputs: [vector(1, 2), vector(3)],
    output: vector(1, 2, 3),
  },
  {
    name: "concat along an axis",
    f: ([a, b], engine) => engine.concat([a!, b!, a!], -1),
    inputs: [array("2 1", 1, 2), array("2 2", 3, 4, 5, 6)],
    output: array("2 4", 1, 3, 4, 1, 2, 5, 6, 2),
  },
];

const products: Op[] = [
  {
    name: "matMul",
    f: ([a, b]) => a!.matMul(b!),
    inputs: [matrix, array("3 2", 1, 0, 0, 1, 1, 1)],
    output: array("2 2", 4, 5, 10, 11),
  },
  {
    name: "matMul in a batch",
    f: ([a, b]) => a!.matMul(b!),
    inputs: [array("2 1 2", 1, 2, 3, 4), array("2 2 1", 1, 1, 2, 0)],
    output: array("2 1 1", 3, 6),
    at: ["2 3 2", "2 2 3"],
  },
  {
    name: "matMul of a batch by one matrix",
    f: ([a, b]) => a!.matMul(b!),
    inputs: [array("2 1 2", 1, 2, 3, 4), array("2 1", 1, 1)],
    output: array("2 1 1", 3, 7),
    at: ["2 3 2", "2 3"],
  },
  {
    name: "matMul of one matrix by a batch",
    f: ([a, b]) => a!.matMul(b!),
    inputs: [array("1 2", 1, 2), array("2 2 1", 1, 1, 2, 0)],
    output: array("2 1 1", 3, 2),
    at: ["3 2", "2 2 3"],
  },
];

/** Both parts of the characteristic functions, real ones first, [2 groups, f]. */
const characteristic =
  (...counts: number[]): Op["f"] =>
  ([x, omega], engine) => {
    const { re, im } = x!.characteristic(omega!, counts);
    return engine.concat([re, im]);
  };

const characteristics: Op[] = [
  {
    name: "characteristic of groups of different size",
    f: characteristic(2, 1),
    inputs: [array("3 1", 0, Math.PI, Math.PI / 2), array("2 1", 1, 2)],
    output: array("4 2", 0, 1, 0, -1, 0, 0, 1, 0),
    at: ["3 4", "5 4"],
  },
  {
    name: "characteristic of groups of equal size",
    f: characteristic(2, 2),
    inputs: [array("4 2", 0, 0, Math.PI, 0, 0, Math.PI / 2, Math.PI / 2, 0), array("3 2", 0, 0, 1, 0, 1, 1)],
    output: array("4 3", 1, 0, 0, 1, 0.5, 0, 0, 0, 0, 0, 0.5, 1),
  },
  {
    name: "characteristic of one row at one frequency",
    f: characteristic(1),
    inputs: [array("1 1", Math.PI / 6), array("1 1", 1)],
    output: array("2 1", Math.sqrt(3) / 2, 0.5),
  },
];

/** Compositions in which second derivatives pass through several operations at once. */
const compositions: Op[] = [
  { name: "x eˣ", f: ([x]) => x!.mul(x!.exp()), inputs: [vector(0, 1)], output: vector(0, Math.E) },
  {
    name: "tanh of a product with itself",
    f: ([x]) => x!.matMul(x!.transpose()).tanh(),
    inputs: [array("1 2", 0, 0)],
    output: array("1 1", 0),
    at: ["3 2"],
  },
  {
    name: "a squared norm of logSoftmax",
    f: ([x]) => x!.logSoftmax().square().sum().sqrt(),
    inputs: [vector(0, 0)],
    output: scalar(Math.SQRT2 * Math.LN2),
    at: ["2 3"],
  },
];

/** Adding an operation to the interface is adding its row here. */
export const ops: readonly Op[] = [
  ...arithmetic,
  ...constants.map((op) => ({ ...op, constant: true as const })),
  ...functions,
  ...reductions,
  ...layout,
  ...products,
  ...characteristics,
  ...compositions,
];
