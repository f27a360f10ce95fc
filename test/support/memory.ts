import { jest } from "@jest/globals";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { Runtime } from "../../src/engines/torch/runtime.ts";

/**
 * The most elements that tensors made by f have at one time, on a torch engine. Views count like copies, so that it is a
 * bound from above. What libtorch keeps for a gradient counts while the tensor that it belongs to is alive.
 */
export function peakElements(engine: Engine, f: () => void): number {
  const { runtime } = engine.fill([1], 0) as unknown as { readonly runtime: Runtime };
  let live = 0;
  let peak = 0;
  const sizes = new Map<object, number>();
  const adopt = runtime.adopt.bind(runtime);
  const dispose = runtime.dispose.bind(runtime);
  const adopted = jest.spyOn(runtime, "adopt").mockImplementation((...made) => {
    const tensor = adopt(...made);
    sizes.set(tensor, sizeOf(tensor.shape));
    live += sizeOf(tensor.shape);
    peak = Math.max(peak, live);
    return tensor;
  });
  const disposed = jest.spyOn(runtime, "dispose").mockImplementation((tensor) => {
    live -= sizes.get(tensor) ?? 0;
    sizes.delete(tensor);
    dispose(tensor);
  });
  try {
    engine.scope(f);
  } finally {
    adopted.mockRestore();
    disposed.mockRestore();
  }
  return peak;
}
