import { sizeOf } from "../core/shape.ts";
import { flattened } from "./layers.ts";
import { type Body, linearSpecs } from "./linearClassifier.ts";
import { linear } from "./probe.ts";

/**
 * A body with linear layers on its flattened feature map, each followed by ReLU:
 *
 *     x ← relu(W x + b)
 *
 * The last one's result is the embedding, and so the feature map: one position with as many channels as it has units.
 *
 * @param widths units of each layer.
 */
export function withHidden<B extends Omit<Body, "name">>(body: B, widths: readonly number[]): B {
  const inputs = [sizeOf(body.map), ...widths];
  const before = body.parameters.length;
  return {
    ...body,
    map: [1, 1, inputs.at(-1)!],
    largest: Math.max(body.largest, ...inputs),
    parameters: [
      ...body.parameters,
      ...widths.flatMap((units, i) => linearSpecs(`linear${i + 1}`, inputs[i]!, units)),
    ],
    featureMap: (values, images, pass) => {
      const first = flattened(body.featureMap(values, images, pass));
      const last = widths.reduce((x, _, i) => {
        const [weight, bias] = values.slice(before + 2 * i);
        return linear(x, weight!, bias!, pass.mode).relu();
      }, first);
      return last.reshape([last.shape[0]!, 1, 1, last.shape[1]!]);
    },
  };
}
