import { z } from "zod";
import { preferring } from "../../core/options.ts";
import type { Tensor } from "../../engines/index.ts";
import { pretrainedModel, pretraining, type PretrainingOptions, pretrainingOptions } from "../pretraining.ts";
import type { NetworkSource } from "./networkSource.ts";

const { models, epochs, batchSize, drops, augmentation, cutMix } = pretrainingOptions.shape;
const drop = drops.unwrap();

/**
 * Options of pairs of networks; the defaults are those of the code of NCFM for 32×32 images: the rate at a fifth after 2/3 and
 * 5/6 of 60 epochs, recolored and shifted images, half of the mini-batches mixed.
 */
export const pretrainedOptions = pretrainingOptions.omit({ network: true }).extend({
  models: preferring(models, 20),
  epochs: preferring(epochs, 60),
  batchSize: preferring(batchSize, 128),
  drops: drop
    .extend({
      afterEpochs: z
        .array(z.int().min(0))
        .optional()
        .describe(`${drop.shape.afterEpochs.description!}; by default two thirds and five sixths of the way`),
      factor: preferring(drop.shape.factor, 0.2),
      keepsMomentum: preferring(drop.shape.keepsMomentum, true),
    })
    .prefault({})
    .describe(drops.description!),
  augmentation: preferring(augmentation, "color+crop"),
  cutMix: cutMix
    .unwrap()
    .extend({ probability: preferring(cutMix.unwrap().shape.probability, 0.5) })
    .prefault({})
    .describe(cutMix.description!),
  mixture: z
    .enum(["uniform", "initial", "trained"])
    .default("uniform")
    .describe("λ of a step: uniform on 0 to 1, or 1 for the random starts, or 0 for the trained networks"),
});

type PretrainedOptions = z.infer<typeof pretrainedOptions>;

/**
 * Networks between a random start and the trained network that it became (NCFM, Wang et al., CVPR 2025): in each step one
 * of some pairs, at a random place on the line between the two,
 *
 *     f = λ · initial_j + (1 − λ) · trained_j,   λ ~ U(0, 1)
 *
 * over all parameters, with trained_j as the classifier beside it. With λ = 0 it is a pretrained extractor for any method.
 *
 * Batch norm normalizes by its batch, under these networks as under those of every other source: running statistics are
 * neither mixed nor used.
 */
export function pretrained({ mixture, ...options }: PretrainedOptions): NetworkSource {
  const preparation = pretraining(trainingOf(options));
  return {
    preparations: [preparation],
    draw(source, rng) {
      const dice = rng.stream("network");
      const index = dice.stream("pair").integer(options.models);
      const { initial, trained, accuracy } = pretrainedModel(source, preparation, index);
      const lambda = { uniform: dice.stream("mixture").uniform(), initial: 1, trained: 0 }[mixture];
      const between = (a: Tensor, b: Tensor): Tensor => a.mul(lambda).add(b.mul(1 - lambda));
      return {
        parameters: trained.map((last, i) => between(initial[i]!, last)),
        classifier: trained,
        accuracy,
        metrics: { pair: index, initialShare: lambda },
      };
    },
  };
}

/** How each is trained. */
function trainingOf({ drops, ...options }: Omit<PretrainedOptions, "mixture">): PretrainingOptions {
  const { epochs } = options;
  // Epochs are counted from 0, and the last one before each milestone lowers the rate.
  const milestones = [Math.floor((2 * epochs) / 3), Math.floor((5 * epochs) / 6)];
  const afterEpochs = drops.afterEpochs ?? milestones.map((epoch) => epoch - 1).filter((last) => last >= 0);
  return { ...options, drops: { ...drops, afterEpochs } };
}
