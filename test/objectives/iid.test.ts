import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { classCentralization } from "../../src/losses/classCentralization.ts";
import { covarianceDiscrepancy, localCovariances } from "../../src/losses/covarianceDiscrepancy.ts";
import type { DistributionDraw } from "../../src/objectives/distribution.ts";
import { dm, dmOptions } from "../../src/objectives/dm.ts";
import { idm, idmOptions } from "../../src/objectives/idm.ts";
import { iid, iidOptions } from "../../src/objectives/iid.ts";
import { descent, type Learned, type Objective, type Source } from "../../src/objectives/objective.ts";
import { pretrainedModel } from "../../src/objectives/pretraining.ts";
import { smallOptions } from "../support/smallOptions.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const source = toySource(engine, { network: { activation: "swish" } });
const none = { weight: 0 };

function built(terms: object = {}): Objective {
  return iid(smallOptions(iidOptions.parse({ realBatch: 1000, terms })));
}

function learnedOf(source: Source): Learned {
  return { images: initialImages(source, { initialization: "random", scarcity: "duplicate" }, seeded(1)) };
}

const drawOf = (objective: Objective, source: Source, seed = 2): DistributionDraw =>
  objective.draw(source, seeded(seed), { step: 0, state: null }) as DistributionDraw;

function gradientOf(objective: Objective, source: Source): number[] {
  const { gradients } = descent(objective, learnedOf(source), drawOf(objective, source));
  return Array.from(gradients.images!.values());
}

const plain = dm(dmOptions.parse({ realBatch: 1000 }));

describe("is dm", () => {
  test("to the bit for one image of each class, whose gradient neither term changes", () => {
    const single: Source = { ...source, imagesPerClass: 1, labels: Int32Array.of(0, 1, 2) };
    const expected = gradientOf(plain, single);
    const zeros = expected.map(() => 0);
    expect(gradientOf(built({ classCentralization: { weight: 3 } }), single)).toEqual(expected);
    expect(gradientOf(built({ covarianceMatching: { weight: 3 } }), single)).toEqual(expected);
    expect(expected).not.toEqual(zeros);
  });

  test("but for mosaics, whose cells are images that have something between them", () => {
    const mosaics: Source = {
      ...source,
      imagesPerClass: 1,
      labels: Int32Array.of(0, 1, 2),
      partition: { factor: 2, order: "columns" },
    };
    const expected = gradientOf(plain, mosaics);
    expect(gradientOf(built({ covarianceMatching: none }), mosaics)).not.toEqual(expected);
    expect(gradientOf(built({ classCentralization: none }), mosaics)).not.toEqual(expected);
  });

  test("where both terms weigh nothing, and then there is nothing to prepare", () => {
    const bare = built({ classCentralization: none, covarianceMatching: none });
    expect(bare.preparations).toBeUndefined();
    expect(gradientOf(bare, source)).toEqual(gradientOf(plain, source));
  });
});

test("on top of idm is idm with both terms, to the bit", () => {
  const both = { classCentralization: { weight: 0.01 }, covarianceMatching: { weight: 0.03 } };
  const networks = { name: "queue", initial: 1, trained: 2 } as const;
  const crossEntropy = { weight: 0.5, factor: "accuracyPercent" } as const;
  const onIdm = iidOptions.parse({ networks, terms: { ...both, crossEntropy } });
  const objectives = [
    iid(smallOptions(onIdm)),
    idm(smallOptions(idmOptions.parse({ networks, terms: both }))),
  ];
  const [ours, theirs] = objectives.map((objective) => {
    const { state = null } = objective.begin!(source, seeded(4), learnedOf(source).images);
    // The first step trains both networks, whose accuracy the second one weighs.
    const first = objective.draw(source, seeded(5), { step: 0, state });
    const trained = objective.after!(learnedOf(source), first);
    const draw = objective.draw(source, seeded(6), { step: 1, state: trained });
    expect(draw.metrics!.networkAccuracy).toBeGreaterThan(0);
    return Array.from(descent(objective, learnedOf(source), draw).gradients.images!.values());
  });
  expect(ours).toEqual(theirs);
});

test("options of one term leave the other as it is by default", () => {
  const { classCentralization, covarianceMatching, crossEntropy } = iidOptions.parse({
    terms: { classCentralization: { weight: 0.2, extractor: { epochs: 3 } } },
  }).terms;
  expect(classCentralization).toMatchObject({
    weight: 0.2,
    form: "quadratic",
    extractor: { epochs: 3, learningRate: 0.01, network: { name: "resNet18", norm: "instance" } },
  });
  expect(covarianceMatching).toEqual({ weight: 0.01, locals: "positions" });
  expect(crossEntropy).toBeUndefined();
});

/** Images of a class under its augmentation in the draw; the toy source has none. */
function realImages(source: Source, label: number): Tensor {
  const members = source.classes[label]!;
  return engine.tensor([members.length, ...source.real.imageShape], normalized(source.real, members));
}

describe("covariance matching", () => {
  // More than fit through the network together: classes that come in several chunks, and chunks of several classes.
  const large = toySource(engine, { counts: [300, 20, 6], network: { depth: 2 } });
  const learned = learnedOf(large);

  test.each(["positions", "columns"] as const)("of %s is that of all features held together", (locals) => {
    const objective = built({ classCentralization: none, covarianceMatching: { weight: 0.7, locals } });
    const draw = drawOf(objective, large);
    const { parameters } = draw.networks;
    const localsOf = (images: Tensor): Tensor => {
      const map = large.network.featureMap(parameters, images).transpose([0, 3, 1, 2]);
      const [n, c, h, w] = map.shape as [number, number, number, number];
      return map.reshape(locals === "positions" ? [n, c, h * w] : [n, c * h, w]);
    };
    const expected = large.classes.map((members, label) => {
      const covariance = localCovariances(localsOf(realImages(large, label)), [members.length]);
      const synthetic = learned.images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]);
      return covarianceDiscrepancy(covariance, localsOf(synthetic), [2]).item();
    });
    const added = objective.loss(learned, draw).item() - plain.loss(learned, drawOf(plain, large)).item();
    expect(added).toBeCloseTo(0.7 * expected.reduce((sum, one) => sum + one), 8);
    expect(added).toBeGreaterThan(1e-3);
  });
});

describe("class centralization", () => {
  const objective = built({ covarianceMatching: none, classCentralization: { weight: 0.7 } });
  const learned = learnedOf(source);

  test("looks by the extractor that the step drew, one for all classes", () => {
    const seen = new Set<number>();
    for (const seed of [8, 9, 10, 11, 12, 13]) {
      const draw = drawOf(objective, source, seed);
      const added =
        objective.loss(learned, draw).item() - plain.loss(learned, drawOf(plain, source, seed)).item();
      const losses = [0, 1].map((index) => {
        const { network, trained } = pretrainedModel(source, objective.preparations![0]!, index);
        const features = network.embed(trained, learned.images);
        return classCentralization(features, [2, 2, 2], {
          form: "quadratic",
          a: 1,
          beta: 1,
          center: "fixed",
        }).item();
      });
      seen.add(losses.findIndex((loss) => Math.abs(0.7 * loss - added) < 1e-9));
    }
    expect(seen).toEqual(new Set([0, 1]));
  });

  test("by extractors with batch norm is the sum over classes, one by one or together", () => {
    const options = smallOptions(iidOptions.parse({ realBatch: 1000 }));
    const { classCentralization } = options.terms;
    const network = { ...classCentralization.extractor.network, norm: "batch" } as const;
    const normed = iid({
      ...options,
      terms: {
        classCentralization: {
          ...classCentralization,
          extractor: { ...classCentralization.extractor, network },
        },
      } as typeof options.terms,
    });
    const draw = drawOf(normed, source);
    const { comparison } = draw.comparisons[1]!;
    const lossOf = (classes: readonly number[]): number => {
      const images = learned.images.slice([2 * classes[0]!, 0, 0, 0], [2 * classes.length, 8, 8, 3]);
      return comparison.loss({ images, values: images, classes, counts: classes.map(() => 2) }).item();
    };
    expect(lossOf([0, 1, 2])).toBeCloseTo(lossOf([0]) + lossOf([1]) + lossOf([2]), 10);
    expect(draw.metrics!.extractorAccuracy).toBeGreaterThan(0);
  });
});
