import type { z } from "zod";
import { type Chosen, type OptionTable } from "../core/options.ts";
import { convNet, convNetOptions, type Task } from "./convNet.ts";
import type { Network } from "./network.ts";

export { convNet, convNetOptions, type ConvNetOptions, type Task } from "./convNet.ts";
export {
  imagesAtOnce,
  initialTensors,
  type Mode,
  type Network,
  type Parameters,
  type ParameterSpec,
  type Statistics,
} from "./network.ts";

/** Architectures by name. */
export const networks = {
  convNet: { options: convNetOptions, build: convNet },
} as const satisfies OptionTable & Record<string, { build: (options: never, task: Task) => Network }>;

/** A network's name and options, as a config states them. */
export type NetworkChoice = Chosen<typeof networks>;

/** The network of a choice for images and classes of `task`. */
export function networkOf({ name, ...options }: NetworkChoice, task: Task): Network {
  return networks[name].build(options satisfies z.infer<(typeof networks)[typeof name]["options"]>, task);
}
