import type { Engine, Tensor } from "../../src/engines/engine.ts";
import { normal } from "./differences.ts";

/** Value, gradients, and the gradient at the images of the filters' squared gradient, of a convolutional block. */
export function secondOrder(engine: Engine): number[][] {
  return engine.scope(() => {
    const images = normal(engine, [16, 16, 16, 3], "images");
    const filters = normal(engine, [32, 3, 3, 3], "filters");
    const [scale, shift] = [normal(engine, [32], "scale"), normal(engine, [32], "shift")];
    const loss = (x: Tensor, w: Tensor): Tensor =>
      x
        .conv2d(w, { padding: 1 })
        .instanceNormRelu(scale, shift, { epsilon: 1e-5, pooling: "avg" })
        .square()
        .mean();
    const { value, gradients } = engine.gradients((x, w) => loss(x!, w!), [images, filters]);
    const second = engine.gradients(
      (x) =>
        engine
          .gradients((w) => loss(x!, w!), [filters])
          .gradients[0]!.square()
          .sum(),
      [images],
    );
    return [value, ...gradients, second.value, ...second.gradients].map((x) => Array.from(x.values()));
  });
}
