import { seeded } from "../../src/core/rng.ts";
import { classIndices, type Dataset } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { convNet, type ConvNetOptions } from "../../src/networks/index.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { preparationKey } from "../../src/runs/setting.ts";
import { finished } from "../../src/training/train.ts";

/** Noisy 8×8 color images around a mean of their class's own; by default 9, 6 and 3 of three classes. */
export function toyDataset(counts: readonly number[] = [9, 6, 3]): Dataset {
  const rng = seeded(11);
  const labels = Int32Array.from(counts.flatMap((count, label) => Array<number>(count).fill(label)));
  const pixels = new Uint8Array(labels.length * 192).map((_, i) => {
    const label = labels[Math.floor(i / 192)]!;
    return 60 + 60 * label * (i % 3 === label ? 1 : 0.4) + 40 * rng.uniform();
  });
  return {
    name: "toy",
    classNames: counts.map((_, label) => `class ${label}`),
    imageShape: [8, 8, 3],
    pixels,
    labels,
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
  };
}

/** Two synthetic images of each class of a toy set, under a small network. What methods prepare is made on demand. */
export function toySource(
  engine: Engine,
  { counts, network = {} }: { counts?: readonly number[]; network?: Partial<ConvNetOptions> } = {},
): Source {
  const real = toyDataset(counts);
  const { imageShape } = real;
  const classes = classIndices(real);
  const parts = new Map<string, NamedArrays>();
  const source: Source = {
    engine,
    real,
    classes,
    network: convNet({ depth: 1, width: 4, ...network }, { imageShape, classes: classes.length }),
    labels: Int32Array.from({ length: 2 * classes.length }, (_, i) => Math.floor(i / 2)),
    imagesPerClass: 2,
    augmentation: [],
    prepared(preparation, part) {
      const key = `${preparationKey(preparation)} ${part}`;
      const made = parts.get(key) ?? finished(preparation.part(source, part, seeded(part)));
      parts.set(key, made);
      return made;
    },
  };
  return source;
}
