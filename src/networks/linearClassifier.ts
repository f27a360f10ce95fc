import { check } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { flattened } from "./layers.ts";
import type { Mode, Network, Parameters, ParameterSpec, Task } from "./network.ts";
import type { Pass } from "./norm.ts";
import { linear } from "./probe.ts";

/** All of a network before its classifier. */
export interface Body extends Pick<Network, "name" | "largest" | "parameters" | "statistics"> {
  /** Shape of one image's last feature map: height, width, channels. */
  readonly map: Shape;
  /** Last feature map, [n, h, w, c]. Parameters may come with the classifier's after them. */
  featureMap(parameters: Parameters, images: Tensor, pass: Pass): Tensor;
}

/** The network of a body and one linear layer on its flattened feature map. */
export function linearClassifier(body: Body, { imageShape, classes }: Task): Network {
  const { name, map, largest, parameters, statistics } = body;
  const width = sizeOf(map);
  const where = name.split("-")[0]!;

  const featureMap = (values: Parameters, images: Tensor, mode: Mode = { use: "batch" }): Tensor => {
    check(
      images.shape.slice(1).join() === imageShape.join(),
      () => `${where}: expected images [n, ${imageShape.join(", ")}], got [${images.shape.join(", ")}]`,
    );
    const updated: Tensor[] = [];
    const result = body.featureMap(values, images, { mode, statistics: updated });
    if (mode.use === "batch" && mode.update) mode.update.statistics = updated;
    return result;
  };
  const embed: Network["embed"] = (values, images, mode) => flattened(featureMap(values, images, mode));
  const classify: Network["classify"] = (values, embeddings, mode = {}) => {
    const [weight, bias] = values.slice(-2) as [Tensor, Tensor];
    return linear(embeddings, weight, bias, mode);
  };
  return {
    name,
    imageShape,
    classes,
    width,
    channels: map[2]!,
    largest,
    flattenOrder: "chw",
    parameters: [...parameters, ...linearSpecs("linear", width, classes)],
    statistics,
    featureMap,
    embed,
    classify,
    logits: (values, images, mode) => classify(values, embed(values, images, mode), mode),
  };
}

/** Weight and bias of a linear layer. */
export function linearSpecs(layer: string, inputs: number, outputs: number): ParameterSpec[] {
  return [
    { name: `${layer}.weight`, shape: [outputs, inputs], initial: { fanIn: inputs } },
    { name: `${layer}.bias`, shape: [outputs], initial: { fanIn: inputs } },
  ];
}
