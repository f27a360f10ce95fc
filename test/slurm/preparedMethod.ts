import { initialTensors } from "../../src/networks/index.ts";
import { methods } from "../../src/objectives/index.ts";
import type { Objective, Preparation } from "../../src/objectives/objective.ts";

const PARTS = 3;

/** Networks at the start of training, one each: what expert trajectories look like to whoever keeps them. */
const preparation: Preparation = {
  name: "networks",
  options: {},
  parts: PARTS,
  *part(source, index, rng) {
    yield { share: 0.5 };
    const tensors = initialTensors(source.network.parameters, source.engine, rng);
    const first = tensors[0]!;
    const arrays = {
      weights: { shape: first.shape, data: Float32Array.from(first.values()) },
      index: { shape: [1], data: Float32Array.of(index) },
    };
    tensors.forEach((tensor) => tensor.dispose());
    return arrays;
  },
};

/** What is made from each of them: their first weights squared, say. */
const squares: Preparation = {
  name: "squares",
  options: {},
  parts: PARTS,
  needs: [preparation],
  *part(source, index) {
    yield { share: 0.5 };
    const { weights, index: number } = source.prepared!(preparation, index);
    return {
      weights: {
        ...weights!,
        data: Float32Array.from(weights!.data as Float32Array, (weight) => weight ** 2),
      },
      index: number!,
    };
  },
};

/** Distribution matching that reads a part of its preparation at each step. */
function preparedMatching(options: never): Objective {
  const inner: Objective = methods.dm.build(options);
  return {
    ...inner,
    name: "prepared",
    preparations: [squares],
    draw(source, rng, at) {
      const part = at.step % PARTS;
      const [index] = source.prepared!(squares, part).index!.data;
      if (index !== part) throw new Error(`expected part ${part}, got ${index!}`);
      return inner.draw(source, rng, at);
    },
  };
}

// Before the schema of configs is made from the table.
Object.assign(methods, { prepared: { options: methods.dm.options, build: preparedMatching } });
