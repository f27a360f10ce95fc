export type { Engine, Tensor, Tree, Values, ValueAndGradients } from "./engine.ts";
export { disposeExcept, forEachTensor, isTensor, mapTensors, tensorsOf } from "./tree.ts";
