import { seeded } from "../../src/core/rng.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import type { DiffusionOptions } from "../../src/generation/diffusionModel.ts";
import { diffusionTrainingOptions, unets } from "../../src/generation/index.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import { preparationKey } from "../../src/runs/setting.ts";
import { finished } from "../../src/training/train.ts";
import { toySource } from "../support/toy.ts";

/** Gray 8×8 images of three classes, each a bright band of its own before a dark ground, of random brightness, with noise. */
export function bands(perClass = 12): Dataset {
  const rng = seeded(3);
  const labels = Int32Array.from({ length: 3 * perClass }, (_, i) => i % 3);
  const pixels = new Uint8Array(labels.length * 64);
  labels.forEach((label, image) => {
    const bright = 170 + 60 * rng.uniform();
    for (let p = 0; p < 64; p++) {
      const row = Math.floor(p / 8);
      const inside = row >= 1 + 2 * label && row < 3 + 2 * label;
      pixels[64 * image + p] = (inside ? bright : 40) + 16 * rng.uniform();
    }
  });
  const classNames = ["top", "middle", "bottom"];
  return { name: "bands", classNames, imageShape: [8, 8, 1], pixels, labels, mean: [0.3], std: [0.25] };
}

/** A source of these images. What is prepared is made on demand, or read from `made`. */
export function bandsSource(engine: Engine, made = new Map<string, NamedArrays>()): Source {
  const base = toySource(engine);
  const real = bands();
  const source: Source = {
    ...base,
    real,
    classes: [0, 1, 2].map((label) => Int32Array.from({ length: 12 }, (_, i) => 3 * i + label)),
    prepared(preparation, part) {
      const key = `${preparationKey(preparation)} ${part}`;
      const arrays = made.get(key) ?? finished(preparation.part(source, part, diceOf(preparation)));
      made.set(key, arrays);
      return arrays;
    },
  };
  return source;
}

/** Dice of a preparation's parts in tests. */
export const diceOf = ({ name }: Preparation) => seeded(1).stream(name);

/** A model of width 8 over 50 times. */
export function toyModel(training: object = {}): DiffusionOptions {
  const small = {
    width: 8,
    groups: 4,
    embedding: 32,
    blocks: 1,
    multipliers: [1, 2],
    attention: [4],
    dropout: 0,
  };
  return {
    network: { ...unets.xs.options.parse(small), name: "xs" },
    schedule: { law: "cosine", times: 50 },
    training: diffusionTrainingOptions.parse({
      ...{ steps: 125, batchSize: 12, learningRate: 2e-3, warmUp: 20, flip: false },
      ...training,
    }),
  };
}
