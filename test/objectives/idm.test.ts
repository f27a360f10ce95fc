import { afterAll, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { augment } from "../../src/datasets/augment.ts";
import { decoded } from "../../src/datasets/partition.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { DistributionDraw } from "../../src/objectives/distribution.ts";
import { idm, idmOptions } from "../../src/objectives/idm.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

test("the defaults are the published ones, and what a config says of a term leaves the rest of it", () => {
  const options = idmOptions.parse({});
  expect(options.networks).toMatchObject({ name: "queue", capacity: 100, renewEvery: 30, trained: 2 });
  expect(options.terms.crossEntropy).toMatchObject({ weight: 0.5, factor: "accuracyPercent" });
  expect(idmOptions.parse({ terms: { crossEntropy: { weight: 0.1 } } }).terms.crossEntropy).toMatchObject({
    weight: 0.1,
    factor: "accuracyPercent",
  });
  expect(idmOptions.parse({ networks: { capacity: 50 } }).networks).toMatchObject({
    name: "queue",
    capacity: 50,
  });
});

/** Embeddings' means and cross-entropies of each class by themselves, written out from the paper. */
function written(source: Source, images: Tensor, draw: DistributionDraw, lambda: number): number {
  const { network, partition, classes, real } = source;
  const { parameters, accuracy } = draw.networks;
  const cells = decoded(images, partition!);
  return classes.reduce((total, members, label) => {
    const at = draw.augmentations[label]!;
    const seen = (x: Tensor): Tensor => network.embed(parameters, augment(x, at));
    const all = engine.tensor(
      [members.length, ...real.imageShape],
      [...members]
        .flatMap((i) => [...real.pixels.slice(i * 192, (i + 1) * 192)])
        .map((p) => (p / 255 - 0.5) / 0.2),
    );
    const synthetic = seen(cells.slice([label * 8, 0, 0, 0], [8, 8, 8, 3]));
    const distance = seen(all).mean(0).sub(synthetic.mean(0)).square().sum().item();
    const logits = network.classify(parameters, synthetic).values();
    let crossEntropy = 0;
    for (let i = 0; i < 8; i++) {
      const row = [...logits.slice(3 * i, 3 * i + 3)];
      crossEntropy += (Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label]!) / 8;
    }
    return total + distance + lambda * 100 * accuracy * crossEntropy;
  }, 0);
}

test("the loss is that of the paper, on the cells, at the accuracy of the network of the queue", () => {
  const source: Source = { ...toySource(engine), partition: { factor: 2, order: "columns" } };
  const options = {
    networks: { trainBatch: 6, initial: 1, renewEvery: 100 },
    terms: { crossEntropy: { weight: 0.3 } },
  };
  const method = idm(idmOptions.parse(options));
  const images = engine.tensor([6, 8, 8, 3], seeded(1).fillNormal(new Float64Array(6 * 192)));
  let { state } = method.begin!(source, seeded(2), images);
  const found: number[] = [];
  for (let step = 0; step < 4; step++) {
    const draw = method.draw(source, seeded(3).stream(`${step}`), {
      step,
      state: state!,
    }) as DistributionDraw;
    const loss = method.loss({ images }, draw).item();
    // Pixels are float32 in the library.
    expect(loss / written(source, images, draw, 0.3)).toBeCloseTo(1, 6);
    found.push(draw.networks.accuracy);
    state = method.after!({ images }, draw);
  }
  expect(found[0]).toBe(0);
  expect(found.at(-1)).toBeGreaterThan(0);
});
