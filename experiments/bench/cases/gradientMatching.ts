import { classIndices, normalized } from "../../../src/datasets/dataset.ts";
import { gradientDistances } from "../../../src/losses/gradientDistance.ts";
import { imageGradient } from "../../../src/objectives/imageGradient.ts";
import { parameterGradient } from "../../../src/training/parameterGradient.ts";
import type { BenchCase } from "../benchCase.ts";
import { datasetFrom, imageShapeOf, networkFor, norm, parametersFrom, tensorFrom } from "../inputs.ts";
import { matchingInputs, type MatchingSetting, matchingSettings, type Step } from "./matching.ts";

export const gradientMatchingCase: BenchCase<MatchingSetting> = {
  about:
    "an update of gradient matching, class by class: batches drawn, DC's distance, gradient in the images",
  peer: true,
  settings: { full: { "": matchingSettings.full }, small: { "": matchingSettings.small } },
  inputs: matchingInputs,
  program({ engine, arrays, setting, rng }) {
    const { realBatch, perClass } = setting;
    const real = datasetFrom(arrays, setting);
    const network = networkFor(setting);
    const theta = parametersFrom(arrays, setting, engine);
    const images = tensorFrom(arrays, "images", engine);
    const imageShape = imageShapeOf(setting);

    const ofClass = (members: Int32Array, label: number) => {
      const order = rng.stream(`real/${label}`).permutation(members.length).subarray(0, realBatch);
      const pixels = normalized(
        real,
        order.map((i) => members[i]!),
      );
      const batch = {
        images: engine.tensor([order.length, ...imageShape], pixels),
        labels: new Int32Array(order.length).fill(label),
      };
      const synthetic = {
        images: images.slice([label * perClass, 0, 0, 0], [perClass, ...imageShape]),
        labels: new Int32Array(perClass).fill(label),
      };
      const target = parameterGradient(network, theta, batch);
      return imageGradient(network, theta, synthetic, (g) => gradientDistances.ours.match(target, g));
    };
    return {
      run: () =>
        engine.scope(() => {
          const parts = classIndices(real).map((members, label) =>
            engine.scope(() => ofClass(members, label)),
          );
          const loss = parts.reduce((sum, { value }) => sum + value.item(), 0);
          return { loss, gradient: engine.concat(parts.map(({ gradient }) => gradient)) };
        }),
      outcome: ({ loss, gradient }: Step) => ({ loss, norms: { images: norm(gradient) } }),
    };
  },
};
