/** Options with every pretraining in them, at whatever depth, made one for toy images: an epoch of two small networks. */
export function smallPretraining<T>(options: T, name = ""): T {
  if (typeof options !== "object" || options === null) return options;
  if (Array.isArray(options)) return options.map((option: unknown) => smallPretraining(option)) as T;
  // A smooth activation: central differences must not straddle a kink.
  const network = {
    name: "convNet",
    depth: 1,
    width: 3,
    activation: "swish",
    norm: "instance",
    pooling: "avg",
  };
  // Networks to match under are of the run's architecture.
  const small = { models: 2, epochs: 1, ...(name !== "networks" && { network }) };
  const entries = Object.entries(options).map(([key, value]) => [
    key,
    smallPretraining(value as unknown, key),
  ]);
  return { ...(Object.fromEntries(entries) as T), ...("models" in options && "epochs" in options && small) };
}
