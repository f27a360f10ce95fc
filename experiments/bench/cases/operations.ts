import type { Engine, Tensor } from "../../../src/engines/index.ts";
import type { BenchCase, Outcome } from "../benchCase.ts";
import { norm, tensorFrom } from "../inputs.ts";

type CallsSetting = {
  /** Calls in one run; the time is that of one. */
  readonly calls: number;
};

/** Elements of x and y: so few that nothing but the call takes time. */
const ELEMENTS = 4;
/** As the peer has it. */
const MULTIPLICATIONS = 20;

interface Calls {
  /** One call, with all that it makes freed. */
  readonly call: () => void;
  readonly outcome: () => Outcome;
}

function callsCase(
  about: string,
  calls: number,
  callsOf: (x: Tensor, y: Tensor, engine: Engine) => Calls,
): BenchCase<CallsSetting> {
  return {
    about,
    peer: true,
    settings: { full: { "": { calls } }, small: { "": { calls: calls / 100 } } },
    inputs: (_, rng) => ({
      x: { shape: [ELEMENTS], data: rng.stream("x").fillUniform(new Float32Array(ELEMENTS), 0.5, 1.5) },
      y: { shape: [ELEMENTS], data: rng.stream("y").fillUniform(new Float32Array(ELEMENTS), 0.9, 1.1) },
    }),
    program({ engine, arrays, setting }) {
      const x = tensorFrom(arrays, "x", engine);
      const { call, outcome } = callsOf(x, tensorFrom(arrays, "y", engine), engine);
      return {
        run() {
          for (let i = 0; i < setting.calls; i++) call();
          x.sum().item(); // queued behind all calls where a device runs them: waits for it
        },
        outcome,
      };
    },
  };
}

export const additionCase = callsCase("a sum of two tiny tensors, freed at once", 50_000, (x, y) => ({
  call: () => x.add(y).dispose(),
  outcome: () => ({ loss: x.add(y).sum().item(), norms: {} }),
}));

export const chainCase = callsCase("20 multiplications and a sum of tiny tensors", 5_000, (x, y, engine) => ({
  call: () => engine.scope(() => void chain(x, y)),
  outcome: () => ({ loss: chain(x, y).item(), norms: {} }),
}));

export const chainGradientCase = callsCase("the same and its gradient", 2_000, (x, y, engine) => {
  const differentiate = () => engine.gradients((at) => chain(at, y), [x]);
  return {
    call: () => engine.scope(() => void differentiate()),
    outcome() {
      const { value, gradients } = differentiate();
      return { loss: value.item(), norms: { gradient: norm(...gradients) } };
    },
  };
});

function chain(x: Tensor, y: Tensor): Tensor {
  let result = x;
  for (let i = 0; i < MULTIPLICATIONS; i++) result = result.mul(y);
  return result.sum();
}
