import { accuracy, testSet } from "../../../src/evaluation/accuracy.ts";
import { crossEntropy } from "../../../src/losses/crossEntropy.ts";
import type { Model } from "../../../src/training/model.ts";
import { train, type TrainingOptions } from "../../../src/training/train.ts";
import { tensorData } from "../../../src/training/trainingData.ts";
import type { BenchCase, Given } from "../benchCase.ts";
import {
  byteImages,
  datasetFrom,
  floatImages,
  labelsFrom,
  networkFor,
  type NetworkSetting,
  networkSettings,
  norm,
  parametersFrom,
  tensorFrom,
  weights,
} from "../inputs.ts";

type TrainSetting = NetworkSetting & {
  /** Images of each class. */
  readonly perClass: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
};

/** As evaluation networks are trained in the dm-1000 protocol. */
const recipe = { batchSize: 256, learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 };

export const trainCase: BenchCase<TrainSetting> = {
  about: "an epoch of evaluation training, without augmentation",
  peer: true,
  settings: {
    full: { "": { ...networkSettings.full, ...recipe, perClass: 50 } },
    small: { "": { ...networkSettings.small, ...recipe, perClass: 12, batchSize: 16 } },
  },
  inputs(setting, rng) {
    const { classes, perClass } = setting;
    const order = rng.stream("train/epoch/0/order").permutation(classes * perClass); // the one that `train` rolls
    const { images, synthetic_labels: labels } = floatImages(setting, perClass, rng.stream("images"));
    return {
      images: images!,
      labels: labels!,
      order: { shape: [order.length], data: order },
      ...weights(setting, rng.stream("network")),
    };
  },
  program(given) {
    const { engine, arrays, setting, rng } = given;
    const start = startOf(given);
    const data = tensorData(tensorFrom(arrays, "images", engine), labelsFrom(arrays, "labels"));
    const options: TrainingOptions = {
      ...setting,
      epochs: 1,
      drops: { afterEpochs: [], factor: 1 },
      augmentation: [],
    };
    return {
      run() {
        const epochs = train(start, data, options, rng.stream("train"));
        let loss = NaN;
        for (;;) {
          const next = epochs.next();
          if (next.done) return { loss, end: next.value };
          loss = next.value.loss.item();
        }
      },
      outcome({ loss, end }: { readonly loss: number; readonly end: Model }) {
        const moved = end.parameters.map((parameter, i) => parameter.sub(start.parameters[i]!));
        return { loss, norms: { displacement: norm(...moved) } };
      },
    };
  },
};

type TestSetting = NetworkSetting & {
  /** Test images of each class. */
  readonly perClass: number;
  /** Of the peer; ours takes its own. */
  readonly batchSize: number;
};

export const testCase: BenchCase<TestSetting> = {
  about: "accuracy on a test set of 10,000 images",
  peer: true,
  settings: {
    full: { "": { ...networkSettings.full, perClass: 1000, batchSize: 256 } },
    small: { "": { ...networkSettings.small, perClass: 40, batchSize: 64 } },
  },
  inputs: (setting, rng) => ({
    ...byteImages(setting, setting.perClass, rng.stream("real")),
    ...weights(setting, rng.stream("network")),
  }),
  program(given) {
    const { engine, arrays, setting } = given;
    const model = startOf(given);
    const { network, parameters } = model;
    const images = testSet(datasetFrom(arrays, setting), engine);
    return {
      run: () => accuracy(model, images).accuracy,
      outcome() {
        let [total, count] = [0, 0];
        for (const batch of images.batches) {
          const labels = images.labels.subarray(count, count + batch.shape[0]!);
          total += engine.scope(
            () => crossEntropy(network.logits(parameters, batch), labels).item() * labels.length,
          );
          count += labels.length;
        }
        return { loss: total / count, norms: {} };
      },
    };
  },
};

function startOf({ engine, arrays, setting }: Given<NetworkSetting>): Model {
  return {
    network: networkFor(setting),
    parameters: parametersFrom(arrays, setting, engine),
    statistics: [],
  };
}
