import type { z } from "zod";
import { type Chosen, type OptionTable } from "../core/options.ts";
import { convNet, convNetOptions } from "./convNet.ts";
import type { Network, Task } from "./network.ts";
import { resNet18, resNet18Options } from "./resNet18.ts";

export { convNet, convNetOptions, type ConvNetOptions } from "./convNet.ts";
export {
  imagesAtOnce,
  initialTensors,
  type Mode,
  type Network,
  type Parameters,
  type ParameterSpec,
  type Statistics,
  type Task,
} from "./network.ts";
export type { Probe, Probed, ProbedAffine, ProbedConvolution, ProbedLayer, ProbedLinear } from "./probe.ts";
export { resNet18, resNet18Options, type ResNet18Options } from "./resNet18.ts";

/** Architectures by name. */
export const networks = {
  convNet: { options: convNetOptions, build: convNet },
  resNet18: { options: resNet18Options, build: resNet18 },
} as const satisfies OptionTable & Record<string, { build: (options: never, task: Task) => Network }>;

/** A network's name and options, as a config states them. */
export type NetworkChoice = Chosen<typeof networks>;

/** The network of a choice for images and classes of `task`. */
export function networkOf({ name, ...options }: NetworkChoice, task: Task): Network {
  return networks[name].build(options satisfies z.infer<(typeof networks)[typeof name]["options"]>, task);
}
