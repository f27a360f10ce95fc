/**
 * Options with all that takes long made small enough for toy images, at whatever depth: pretrainings of an epoch of two small
 * networks, three short steps of a student beside two experts.
 */
export function smallOptions<T>(options: T, name = ""): T {
  if (typeof options !== "object" || options === null) return options;
  if (Array.isArray(options)) return options.map((option: unknown) => smallOptions(option)) as T;
  const entries = Object.entries(options).map(([key, value]) => [key, smallOptions(value as unknown, key)]);
  return {
    ...(Object.fromEntries(entries) as T),
    ...("models" in options && "epochs" in options && smallPretraining(name)),
    ...("folds" in options && { folds: 2, epochs: 1, network }),
    ...("count" in options && "epochs" in options && { count: 2, epochs: 3 }),
    ...("consecutive" in options && { epochs: 3 }),
    ...("startEpochs" in options && path),
    ...("stepSize" in options && { stepSize }),
    ...("stepSize" in options && "threshold" in options && { threshold: 1e9 }),
  };
}

/** A smooth activation: central differences must not straddle a kink. */
const network = {
  name: "convNet",
  depth: 1,
  width: 3,
  activation: "swish",
  norm: "instance",
  pooling: "avg",
};

/** Networks to match under are of the run's architecture, others of this one. */
function smallPretraining(name: string): object {
  return { models: 2, epochs: 1, ...(name !== "networks" && { network }) };
}

/** Of experts that hardly move. */
const path = {
  startEpochs: { min: 0, max: 2 },
  expertEpochs: 1,
  studentSteps: 3,
};

/** One that learned as fast as published would soon be negative. */
const stepSize = { initial: 0.01, learningRate: 1e-8, momentum: 0.5 };
