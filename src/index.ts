// The public API: what is not listed here is internal. A file of which all is public has a star. Kernels are imported from
// kernels/index.ts.

// Errors, choices, random streams
export { Divergence, InputError } from "./core/errors.ts";
export type { Choice, Chosen, OptionTable } from "./core/options.ts";
export { type Rng, seeded } from "./core/rng.ts";
export { bind, type ImageShape, type Shape } from "./core/shape.ts";

// Engines
export {
  type Availability,
  type Axes,
  type ConvolutionOptions,
  type DType,
  type Engine,
  type EngineOptions,
  engineReport,
  type InstanceNormReluOptions,
  type LayerOptions,
  type Operand,
  type Pooling,
  type Precision,
  selectEngine,
  type Selection,
  type Tensor,
  type Tree,
  type ValueAndGradients,
  type Values,
} from "./engines/index.ts";

// Data sets and augmentation
export * from "./datasets/index.ts";
export { datasetOf, type OwnImages } from "./datasets/own.ts";
export {
  augment,
  type Alternative,
  type Augmentation,
  type AugmentationOp,
  drawAugmentation,
  parseStrategy,
  type SingleAugmentation,
  type Strategy,
} from "./datasets/augment.ts";
export * from "./datasets/condensationAugment.ts";
export {
  type CellOrder,
  decoded,
  decodedLabels,
  decodedValues,
  type Downscaling,
  mosaics,
  type Partition,
} from "./datasets/partition.ts";
export { whitenedDataset, type Whitening } from "./datasets/whitening.ts";
export { zcaEpsilon, type ZcaOptions, zcaWhitening } from "./datasets/zca.ts";
export * from "./datasets/longTail.ts";

// Networks and their training
export {
  alexNet,
  type AlexNetOptions,
  convNet,
  type ConvNetOptions,
  initialTensors,
  leNet,
  mlp,
  type MlpOptions,
  type Mode,
  type Network,
  type NetworkChoice,
  type NetworkInput,
  networks,
  type OptionalNetwork,
  type Parameters,
  type ParameterSpec,
  type Probe,
  type Probed,
  type ProbedAffine,
  type ProbedConvolution,
  type ProbedLayer,
  type ProbedLinear,
  resNet18,
  type ResNet18Options,
  resNetAp10,
  type ResNetAp10Options,
  type Statistics,
  type Task,
  vgg11,
  type Vgg11Options,
} from "./networks/index.ts";
export * from "./networks/frozenBackbone.ts";
export {
  adam,
  type Bounds,
  clamped,
  type Optimizer,
  optimizers,
  perClass,
  plateau,
  schedules,
  sgd,
} from "./optimizers/index.ts";
export { freshModel, type Model } from "./training/model.ts";
export {
  type Batch,
  differentiableGradient,
  lossGradient,
  parameterGradient,
} from "./training/parameterGradient.ts";
export * from "./training/sampleGradients.ts";
export * from "./training/sharpness.ts";
export { balancedOrder } from "./training/balancedOrder.ts";
export type { TrainingAugmentation } from "./training/augmentation.ts";
export type { CutMixOptions } from "./training/cutMix.ts";
export {
  type Drops,
  type EpochOrder,
  type EpochReport,
  finished,
  train,
  type TrainingObserver,
  type TrainingOptions,
  type TrainingState,
} from "./training/train.ts";
export { datasetData, type Labels, tensorData, type TrainingData } from "./training/trainingData.ts";

// Losses
export { type Characteristic, characteristicFunction, unbiasedAmplitude } from "./losses/characteristic.ts";
export { type Centralization, classCentralization } from "./losses/classCentralization.ts";
export {
  covarianceDiscrepancy,
  covariancesOf,
  localCovariances,
  localMoments,
} from "./losses/covarianceDiscrepancy.ts";
export { crossEntropy } from "./losses/crossEntropy.ts";
export {
  type GradientDistance,
  type GradientDistanceName,
  gradientDistances,
  type GradientMatch,
  type ParameterGradient,
} from "./losses/gradientDistance.ts";
export {
  type Gram,
  kernelDiscrepancy,
  type KernelDiscrepancyOptions,
  unbiasedKernelDiscrepancy,
} from "./losses/kernelDiscrepancy.ts";
export { classMeanDiscrepancy, meanDiscrepancy } from "./losses/meanDiscrepancy.ts";
export { rootSpectralDiscrepancy } from "./losses/rootSpectralDiscrepancy.ts";
export type { ClassCounts } from "./losses/segments.ts";
export {
  spectralDiscrepancy,
  type SpectralWeights,
  unbiasedSpectralDiscrepancy,
} from "./losses/spectralDiscrepancy.ts";
export { trajectoryDistance } from "./losses/trajectoryDistance.ts";

// Methods
export { type ClassStatistics, type ClassWeights, classWeights } from "./objectives/classWeights.ts";
export { csdm } from "./objectives/csdm.ts";
export { type DistributionDraw, distributionMatching } from "./objectives/distribution.ts";
export { datm } from "./objectives/datm.ts";
export { dc } from "./objectives/dc.ts";
export { dcc, dsac } from "./objectives/dcc.ts";
export { dm } from "./objectives/dm.ts";
export { dsa } from "./objectives/dsa.ts";
export * from "./objectives/experts.ts";
export {
  type GradientDraw,
  type GradientMethod,
  gradientMatching,
  type LoopTable,
  publishedLoops,
  type WarmUp,
} from "./objectives/gradientMatching.ts";
export { iid } from "./objectives/iid.ts";
export { lad } from "./objectives/lad.ts";
export {
  type DirectionalGradients,
  directionalGradients,
  type ImageGradient,
  imageGradient,
  type Match,
  penalizedMatch,
} from "./objectives/imageGradient.ts";
export { methods } from "./objectives/index.ts";
export { ncfm } from "./objectives/ncfm.ts";
export {
  type MatchingNetworks,
  type NetworkSource,
  networkSources,
} from "./objectives/networkSources/index.ts";
export type {
  Beginning,
  Descent,
  Draw,
  GradientPenalty,
  Penalties,
  RunDefaults,
  Learned,
  Objective,
  Plugin,
  PartReport,
  Preparation,
  Source,
} from "./objectives/objective.ts";
export {
  type Penalty,
  type StudentBatch,
  type Synthetic,
  type Trajectory,
  trajectoryLoss,
  type TrajectoryOptions,
} from "./objectives/trajectory.ts";
export * from "./objectives/trajectoryGradient.ts";
export {
  type ClassFeatures,
  type ClassRows,
  type Comparison,
  eachClass,
  type Fold,
  foldedMeans,
  keptFeatures,
  type RealImages,
  rowsOf,
  type SyntheticClasses,
  type Term,
  withoutReal,
} from "./objectives/term.ts";
export { difficultyCorrection } from "./plugins/difficultyCorrection.ts";
export { plugins } from "./plugins/index.ts";
export * from "./coresets/index.ts";

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
export { methodOf } from "./runs/setting.ts";
export type { Space } from "./runs/space.ts";
export { arraysOf, decodedSet, setFrom, type StoredSet } from "./runs/storedSet.ts";
export { pixelsOf, type SyntheticSet } from "./runs/synthetic.ts";
export * from "./runs/union.ts";
export { type InMemoryTracking, type TrackedDifficulty, trackingOf } from "./runs/tracking.ts";

// Image pools by a diffusion model
export type { Dropout } from "./generation/dropout.ts";
export { type GenerationOptions, generationOptions } from "./generation/options.ts";
export type { Condition, UNet, UNetOptions } from "./generation/unet.ts";
export * from "./runs/generatedPool.ts";

// The same step by step
export { decodeProgress, encodeProgress } from "./distillers/checkpoint.ts";
export { begin, distill, type Distillation, type Progress, type Report } from "./distillers/distill.ts";
export * from "./distillers/initialize.ts";
export * from "./evaluation/accuracy.ts";
export { type BatchDifficulty, batchDifficulty, type LabeledImages } from "./evaluation/batchDifficulty.ts";
export * from "./evaluation/continual.ts";
export { pearson, spearman } from "./evaluation/correlation.ts";
export {
  type Correlation,
  type DifficultyCorrelations,
  difficultyCorrelations,
  type ImageDifficulty,
  imageDifficulty,
  type ScoredImages,
} from "./evaluation/difficulty.ts";
export { evaluate, type Evaluation, type EvaluationPlan } from "./evaluation/evaluate.ts";
export type { FeatureComparison } from "./evaluation/classFeatures.ts";
export * from "./evaluation/featureDiscrepancy.ts";
export * from "./evaluation/frequencyErrors.ts";
export * from "./evaluation/maps/index.ts";
export { highFrequencyEnergy, powerSpectrum, ringSizes } from "./evaluation/powerSpectrum.ts";
export * from "./evaluation/protocols.ts";
export * from "./evaluation/statistics.ts";
export * from "./evaluation/ranking.ts";
export * from "./evaluation/rankedNetwork.ts";
export * from "./evaluation/rankingProtocols.ts";

// The scaling law of data pruning
export * from "./theory/index.ts";

// File formats, as bytes
export type { ArrayData, HostArray, NamedArrays } from "./formats/array.ts";
export { readNpz, writeNpz } from "./formats/npz.ts";
export { readSafetensors, writeSafetensors } from "./formats/safetensors.ts";
