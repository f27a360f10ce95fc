// The public API: what is not listed here is internal. Kernels are imported from kernels/index.ts.

// Errors, options, random streams
export { InputError } from "./core/errors.ts";
export { type Rng, seeded } from "./core/rng.ts";
export { bind, type ImageShape, type Shape } from "./core/shape.ts";

// Engines
export { type Engine, engineReport, selectEngine, type Tensor } from "./engines/index.ts";

// Data sets and augmentation
export {
  classCounts,
  classIndices,
  type Dataset,
  datasets,
  normalized,
  type Pixels,
  type Splits,
  subset,
} from "./datasets/index.ts";
export { datasetOf, type OwnImages } from "./datasets/own.ts";
export { augment, type Augmentation, drawAugmentation, parseStrategy } from "./datasets/augment.ts";
export { longTail, longTailCounts } from "./datasets/longTail.ts";

// Networks and their training
export { convNet, initialTensors, type Network, networks, type Parameters } from "./networks/index.ts";
export { adam, type Optimizer, optimizers, sgd } from "./optimizers/index.ts";
export { freshModel, type Model } from "./training/model.ts";
export {
  type Batch,
  differentiableGradient,
  lossGradient,
  parameterGradient,
} from "./training/parameterGradient.ts";
export { finished, train, type TrainingOptions } from "./training/train.ts";
export { datasetData, tensorData } from "./training/trainingData.ts";

// Losses
export { type Characteristic, characteristicFunction, unbiasedAmplitude } from "./losses/characteristic.ts";
export { crossEntropy } from "./losses/crossEntropy.ts";
export {
  type GradientDistance,
  type GradientDistanceName,
  gradientDistances,
  type GradientMatch,
  type ParameterGradient,
} from "./losses/gradientDistance.ts";
export { kernelDiscrepancy, unbiasedKernelDiscrepancy } from "./losses/kernelDiscrepancy.ts";
export { classMeanDiscrepancy, meanDiscrepancy } from "./losses/meanDiscrepancy.ts";
export { rootSpectralDiscrepancy } from "./losses/rootSpectralDiscrepancy.ts";
export { spectralDiscrepancy, unbiasedSpectralDiscrepancy } from "./losses/spectralDiscrepancy.ts";
export { trajectoryDistance } from "./losses/trajectoryDistance.ts";

// Methods
export { classWeights } from "./objectives/classWeights.ts";
export { csdm } from "./objectives/csdm.ts";
export { distributionMatching } from "./objectives/distribution.ts";
export { dm } from "./objectives/dm.ts";
export {
  directionalGradients,
  imageGradient,
  type Match,
  penalizedMatch,
} from "./objectives/imageGradient.ts";
export { methods } from "./objectives/index.ts";
export type { Draw, GradientPenalty, Objective, Plugin, Source } from "./objectives/objective.ts";
export {
  type StudentBatch,
  type Synthetic,
  type Trajectory,
  type TrajectoryGradient,
  trajectoryGradient,
  trajectoryLoss,
  type TrajectoryOptions,
} from "./objectives/trajectoryGradient.ts";
export {
  type ClassFeatures,
  type Comparison,
  eachClass,
  type Fold,
  foldedMeans,
  keptFeatures,
  rowsOf,
  type Term,
} from "./objectives/term.ts";
export { difficultyCorrection } from "./plugins/difficultyCorrection.ts";
export { plugins } from "./plugins/index.ts";
export { randomCoreset } from "./coresets/random.ts";

// Distilling and evaluating in memory
export {
  distillationOf,
  type DistillationRun,
  type InMemoryOptions,
  type StepReport,
} from "./runs/distillation.ts";
export {
  evaluationOf,
  type EvaluationOptions,
  type EvaluationReport,
  type EvaluationResult,
  type EvaluationRun,
} from "./runs/evaluation.ts";
export type { DistillationOptions, MethodChoice, PluginChoice } from "./runs/options.ts";
export { pixelsOf, type SyntheticSet } from "./runs/synthetic.ts";

// The same step by step
export { decodeProgress, encodeProgress } from "./distillers/checkpoint.ts";
export { begin, distill, type Distillation, Divergence, type Progress } from "./distillers/distill.ts";
export { initialImages } from "./distillers/initialize.ts";
export { accuracy, testSet } from "./evaluation/accuracy.ts";
export { evaluate } from "./evaluation/evaluate.ts";
export { powerSpectrum, ringSizes } from "./evaluation/powerSpectrum.ts";
export { protocols } from "./evaluation/protocols.ts";
export { mean, sampleStandardDeviation, thirds } from "./evaluation/statistics.ts";

// File formats, as bytes
export { readNpz, writeNpz } from "./formats/npz.ts";
export { readSafetensors, writeSafetensors } from "./formats/safetensors.ts";
