import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { augment } from "../../src/datasets/augment.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import type { DistributionDraw } from "../../src/objectives/distribution.ts";
import { dm, dmOptions } from "../../src/objectives/dm.ts";
import { descent, type Learned, type Source } from "../../src/objectives/objective.ts";
import { toySource } from "../support/toy.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

function learnedOf(source: Source): Learned {
  return { images: initialImages(source, { initialization: "noise", scarcity: "error" }, seeded(1)) };
}

const firstStep = { step: 0, state: null };

describe("dm", () => {
  const source: Source = { ...toySource(engine), augmentation: ["color", "crop", "flip", "rotate"] };
  const learned = learnedOf(source);

  /** The loss as DM's code has it: class by class, each through the network by itself. */
  function classByClass(images: Tensor, seed: number): Tensor {
    const { network } = source;
    const draw = dm(dmOptions.parse({ realBatch: 100 })).draw(
      source,
      seeded(seed),
      firstStep,
    ) as DistributionDraw;
    const losses = source.classes.map((members, label) => {
      const real = engine.tensor([members.length, 8, 8, 3], normalized(source.real, members));
      const synthetic = images.slice([2 * label, 0, 0, 0], [2, 8, 8, 3]);
      const embedded = (batch: Tensor): Tensor =>
        network.embed(draw.networks.parameters, augment(batch, draw.augmentations[label]!)).mean(0);
      return embedded(real).detach().sub(embedded(synthetic)).square().sum();
    });
    return losses.reduce((total, loss) => total.add(loss));
  }

  test.each([1, 2, 3])(
    "of all classes in one forward pass is that of one class after another, seed %i",
    (seed) => {
      const objective = dm(dmOptions.parse({ realBatch: 100 }));
      const found = descent(objective, learned, objective.draw(source, seeded(seed), firstStep));
      const expected = engine.gradients((images) => classByClass(images!, seed), [learned.images]);
      expect(found.value.item()).toBeCloseTo(expected.value.item(), 10);
      const apart = found.gradients.images!.sub(expected.gradients[0]!).abs().max().item();
      expect(apart).toBeLessThan(1e-12);
    },
  );

  test("convolves real images in bfloat16 where asked to, at a small change of the loss", () => {
    const lossAt = (precision: "full" | "bf16"): number => {
      const objective = dm(dmOptions.parse({ realBatch: 100, precision }));
      return objective.loss(learned, objective.draw(source, seeded(3), firstStep)).item();
    };
    const change = Math.abs(lossAt("bf16") / lossAt("full") - 1);
    expect(change).toBeGreaterThan(1e-6);
    expect(change).toBeLessThan(0.02);
  });
});

describe("csdm", () => {
  const source = toySource(engine, { counts: [60, 20, 6] });
  const learned = learnedOf(source);

  test.each(["gaussian", "matern52", "rationalQuadratic", "cauchy"] as const)(
    "at large bandwidth and α = ½ is dm, kernel %s",
    (kernel) => {
      const frequencies = 20_000;
      const options = csdmOptions.parse({
        kernel,
        frequencies,
        bandwidth: { factor: 1000 },
        weighting: { name: "fixed", alpha: 0.5 },
      });
      const lossOf = (objective: ReturnType<typeof dm>): number =>
        objective.loss(learned, objective.draw(source, seeded(2), firstStep)).item();
      const expected = lossOf(dm(dmOptions.parse({ realBatch: 256 })));
      // 5 standard errors. ⟨ω, Δ⟩² has a standard deviation of √(kurtosis − 1) of its mean: √2 for the Gaussian law, √5 for
      // its exponential mixtures, √8 for Student's t with 5 degrees, the widest here.
      const bound = 5 * Math.sqrt(8 / frequencies) * expected;
      expect(Math.abs(lossOf(csdm(options)) - expected)).toBeLessThan(bound);
    },
  );

  test("weighs amplitudes more in the largest class than in the smallest", () => {
    const objective = csdm(
      csdmOptions.parse({ frequencies: 8, weighting: { name: "logarithmic", alphaHead: 0.7 } }),
    );
    const { metrics } = objective.draw(source, seeded(2), firstStep);
    expect(metrics!.alphaFirst).toBeCloseTo(0.7, 12);
    expect(metrics!.alphaLast).toBeCloseTo(0.3, 12);
  });

  test("measures its bandwidth on the step's features, or takes a fixed one", () => {
    const bandwidthOf = (bandwidth: object): number =>
      csdm(csdmOptions.parse({ frequencies: 8, bandwidth })).draw(source, seeded(2), firstStep).metrics!
        .bandwidth!;
    expect(bandwidthOf({ rule: "fixed", factor: 3 })).toBe(3);
    expect(bandwidthOf({ factor: 2 })).toBeCloseTo(2 * bandwidthOf({ factor: 1 }), 10);
  });

  test.each(["laplacian", "matern12"])("under %s scales its loss by a Euclidean length too", (kernel) => {
    const ratio = (scale: number): number => {
      const lossOf = (lossScale: string): number => {
        const options = csdmOptions.parse({ kernel: { name: kernel, scale }, frequencies: 16, lossScale });
        const objective = csdm(options);
        return objective.loss(learned, objective.draw(source, seeded(2), firstStep)).item();
      };
      return lossOf("bandwidth") / lossOf("none");
    };
    const gaussian = csdm(csdmOptions.parse({ frequencies: 16 })).draw(source, seeded(2), firstStep).metrics!;
    expect(ratio(1)).toBeCloseTo(2 * gaussian.bandwidth! ** 2, 6);
    expect(ratio(3)).toBeCloseTo(9 * ratio(1), 6);
  });

  test("of unit features gives the frequencies features of length 1", () => {
    const options = { features: "unit", bandwidth: { rule: "median" }, frequencies: 16 };
    const { metrics } = csdm(csdmOptions.parse(options)).draw(source, seeded(2), firstStep);
    // Of vectors of length 1 without negative entries, none are further apart than √2.
    expect(metrics!.bandwidth).toBeGreaterThan(0);
    expect(metrics!.bandwidth).toBeLessThanOrEqual(Math.SQRT2);
    const raw = csdm(csdmOptions.parse({ ...options, features: "raw" })).draw(source, seeded(2), firstStep);
    expect(metrics!.bandwidth).not.toBeCloseTo(raw.metrics!.bandwidth!, 3);
  });

  test.each(["laplacian", "matern12", "matern32", "inverseMultiquadric", "cauchyProduct"])(
    "has a finite loss and gradient under %s",
    (kernel) => {
      const objective = csdm(csdmOptions.parse({ kernel, frequencies: 64 }));
      const { value, gradients } = descent(objective, learned, objective.draw(source, seeded(2), firstStep));
      expect(value.item()).toBeGreaterThan(0);
      expect(Number.isFinite(gradients.images!.square().sum().item())).toBe(true);
    },
  );

  test("with the noise-aware weights trusts the amplitudes of small classes least", () => {
    const options = csdmOptions.parse({
      frequencies: 256,
      weighting: "noiseAware",
      amplitudeTarget: "unbiased",
    });
    const { metrics } = csdm(options).draw(source, seeded(2), firstStep);
    expect(metrics!.alphaLast).toBeLessThan(metrics!.alphaFirst!);
  });
});
