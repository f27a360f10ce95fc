export { type Crossover, crossovers } from "./crossovers.ts";
export { type MaxMargin, maxMargin, type SignedExamples } from "./maxMargin.ts";
export { type Kept, type Pruning } from "./pruning.ts";
export { type SaddlePoint } from "./saddlePoint.ts";
export { saddlePoint } from "./scalingLaw.ts";
export { simulatedStudent } from "./simulation.ts";
