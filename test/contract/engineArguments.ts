import type { Engine, Tensor } from "../../src/engines/index.ts";

/** What a parameter takes. */
export type Kind = keyof ReturnType<typeof wrongFor>;

type MethodOf<T> = { [K in keyof T]: T[K] extends (...given: never[]) => unknown ? K : never }[keyof T];

/** A right call of a method, and the kinds of its parameters; those in brackets may be undefined. */
interface RightCall {
  readonly on?: readonly number[];
  readonly given: (engine: Engine) => unknown[];
  readonly kinds: readonly (Kind | readonly [Kind])[];
}

const none: RightCall = { given: () => [], kinds: [] };
const operand: RightCall = { given: (engine) => [engine.fill([2], 1)], kinds: ["operand"] };
const reduction: RightCall = { given: () => [[0], true], kinds: [["axes"], ["flag"]] };
const image = [1, 4, 4, 2] as const;
const window: RightCall = { on: image, given: () => [2], kinds: ["side"] };

/** Options of a right `convolvedBlock`, some of them changed. */
const layer = (engine: Engine, change: object): object => ({
  scale: engine.fill([3], 1),
  shift: engine.fill([3], 0),
  epsilon: 1e-5,
  pooling: "avg",
  ...change,
});

/** Every method of a tensor but `dispose`, which anything may be asked to do. */
export const tensorCalls: Readonly<Record<Exclude<MethodOf<Tensor>, "dispose">, RightCall>> = {
  add: operand,
  sub: operand,
  mul: operand,
  div: operand,
  maximum: operand,
  minimum: operand,
  greater: operand,
  equal: operand,
  pow: { given: () => [2], kinds: ["number"] },
  neg: none,
  exp: none,
  log: none,
  sqrt: none,
  rsqrt: none,
  square: none,
  abs: none,
  sin: none,
  cos: none,
  tanh: none,
  sigmoid: none,
  relu: none,
  sum: reduction,
  mean: reduction,
  max: reduction,
  argmax: { given: () => [0], kinds: ["axis"] },
  reshape: { given: () => [[2, 1]], kinds: ["shape"] },
  transpose: { given: () => [[0]], kinds: [["axes"]] },
  broadcastTo: { given: () => [[3, 2]], kinds: ["shape"] },
  slice: { given: () => [[0], [1]], kinds: ["shape", "shape"] },
  pad: { given: () => [[[1, 0]]], kinds: ["margins"] },
  gather: { given: (engine) => [engine.indices([1]), 0], kinds: ["indices", ["axis"]] },
  matMul: { on: [3, 2], given: (engine) => [engine.fill([2, 3], 1)], kinds: ["tensor"] },
  characteristic: {
    on: [3, 2],
    given: (engine) => [engine.fill([4, 2], 1), [2, 1]],
    kinds: ["tensor", "counts"],
  },
  logSoftmax: none,
  conv2d: {
    on: image,
    given: (engine) => [engine.fill([3, 2, 2, 2], 1), { bias: engine.fill([3], 1), stride: 1, padding: 1 }],
    kinds: ["tensor", ["convolution"]],
  },
  avgPool: window,
  maxPool: window,
  instanceNormRelu: {
    on: image,
    given: (engine) => [engine.fill([2], 1), engine.fill([2], 0), { epsilon: 1e-5, pooling: "avg" }],
    kinds: ["tensor", "tensor", "normalization"],
  },
  convolvedBlock: {
    on: image,
    given: (engine) => [engine.fill([3, 2, 2, 2], 1), layer(engine, {})],
    kinds: ["tensor", "layer"],
  },
  detach: none,
  values: none,
  item: { ...none, on: [1] },
};

/** Every method of an engine but those that only look at it or end it. */
export const engineCalls: Readonly<Record<Exclude<MethodOf<Engine>, "liveTensors" | "close">, RightCall>> = {
  tensor: { given: () => [[2], [1, 2]], kinds: ["shape", "numbers"] },
  indices: { given: () => [[1, 2]], kinds: ["positions"] },
  fill: { given: () => [[2], 1], kinds: ["shape", "number"] },
  concat: { given: (engine) => [[engine.fill([2], 1)], 0], kinds: ["tensors", ["axis"]] },
  gradients: {
    given: (engine) => [(x: Tensor) => x.square().sum(), [engine.fill([2], 1)]],
    kinds: ["scalarFunction", "tensors"],
  },
  noGrad: { given: () => [() => 1, "full"], kinds: ["function", ["precision"]] },
  scope: { given: () => [() => 1], kinds: ["function"] },
};

/** Values that a parameter must refuse, by what it takes. */
export function wrongFor(engine: Engine, strangers: readonly Tensor[]) {
  const odd: unknown[] = [null, "1", {}, () => 1, Symbol("s"), 5n, Object.create(null)];
  const fake = { engine: undefined, matMul: 1, shape: [2], dtype: "float32" };
  const operands = [undefined, ...odd, [], [1], true, fake, ...strangers];
  const tensors = [...operands, 1, NaN];
  const numbers = [undefined, ...odd, [], [1], true];
  const fractions = [0.5, NaN, Infinity, -Infinity];
  const huge = [2 ** 31, 2 ** 32 + 1, 2 ** 53, 1e300];
  const axes = [...odd, ...fractions, ...huge, 99, -99];
  const counts = [...odd, [], [1], true, ...fractions, ...huge, -1];
  const lists = [undefined, ...odd, 3, { length: 1, 0: 2 }, Int32Array.of(2)];
  const sides = [undefined, ...counts, 0];
  const shapes = [
    ...lists,
    ...[...odd, undefined, [], [2], ...fractions, ...huge, -1].map((length) => [length]),
    [,],
    [2, 1, 1, 1, 1, 1, 1],
    Array(100_000).fill(1),
    [2 ** 20, 2 ** 20, 2 ** 20],
    [0, 2 ** 31 - 1, 2 ** 31 - 1],
  ];
  const convolutions = [
    ...odd.filter((value) => typeof value !== "object" || value === null),
    3,
    ...[...odd, ...fractions, [], true, 2 ** 53, -1, 0].map((stride) => ({ stride })),
    ...[...counts, 1e9].map((padding) => ({ padding })),
    ...tensors.filter((value) => value !== undefined).map((bias) => ({ bias })),
  ];
  const blocks = [
    ...[...numbers, ...fractions.slice(1), -1].map((epsilon) => ({ epsilon, pooling: "avg" })),
    ...[undefined, ...odd, 1, "median", "toString"].map((pooling) => ({ epsilon: 0, pooling })),
  ];
  return {
    operand: operands,
    tensor: tensors,
    indices: tensors,
    number: numbers,
    axis: [...axes, [], [0]],
    axes: [...axes, [0, 0], [,], ...axes.map((axis) => [axis])],
    flag: [...odd, 0, 1, []],
    shape: shapes,
    margins: [
      ...lists,
      [1, 0],
      [],
      [[1]],
      [[1, 0, 0]],
      [,],
      ...[...odd, undefined, ...fractions, ...huge, -1].flatMap((margin) => [
        [margin],
        [[margin, 0]],
        [[0, margin]],
      ]),
    ],
    side: [...sides, 5, 2 ** 32 + 2],
    counts: [...shapes, [3, 0], [4], [2, 1, 1], [4, -1], [1.5, 1.5]],
    convolution: convolutions,
    normalization: [undefined, ...odd, 3, ...blocks],
    layer: [
      undefined,
      ...odd,
      3,
      ...[...convolutions, ...blocks].flatMap((wrong) =>
        typeof wrong === "object" && wrong !== null ? [layer(engine, wrong)] : [],
      ),
      ...tensors.flatMap((wrong) => [layer(engine, { scale: wrong }), layer(engine, { shift: wrong })]),
    ],
    numbers: [
      undefined,
      ...odd,
      3,
      "12",
      [1],
      [1, 2, 3],
      { length: 1e15 },
      { length: -1 },
      { length: 2 },
      new DataView(new ArrayBuffer(2)),
      BigInt64Array.of(1n, 2n),
      ...[undefined, ...odd, [2]].map((value) => [1, value]),
    ],
    positions: [
      undefined,
      ...odd,
      3,
      "12",
      { length: 1e15 },
      { length: 2 },
      BigInt64Array.of(1n, 2n),
      Float64Array.of(0.5),
      ...[undefined, ...odd, [2], ...fractions, ...huge].map((value) => [1, value]),
    ],
    tensors: [...lists, [,], ...tensors.map((tensor) => [tensor])],
    function: [undefined, ...odd.filter((value) => typeof value !== "function"), 1, []],
    scalarFunction: [
      undefined,
      ...odd.filter((value) => typeof value !== "function"),
      1,
      [],
      ...tensors.map((result) => () => result),
      (x: Tensor) => x,
      (x: Tensor) => x.argmax(0),
    ],
    precision: [...odd, "half", 1],
  };
}
