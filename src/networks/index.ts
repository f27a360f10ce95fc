import type { z } from "zod";
import { choice, type Choice, type Chosen, type OptionTable } from "../core/options.ts";
import { alexNet, alexNetOptions } from "./alexNet.ts";
import { convNet, convNetOptions } from "./convNet.ts";
import { leNet, leNetOptions } from "./leNet.ts";
import { mlp, mlpOptions } from "./mlp.ts";
import type { Network, Task } from "./network.ts";
import { resNet18, resNet18Options } from "./resNet18.ts";
import { resNetAp10, resNetAp10Options } from "./resNetAp10.ts";
import { vgg11, vgg11Options } from "./vgg11.ts";

export { alexNet, alexNetOptions, type AlexNetOptions } from "./alexNet.ts";

export { convNet, convNetOptions, type ConvNetOptions } from "./convNet.ts";
export { leNet, leNetOptions } from "./leNet.ts";
export { mlp, mlpOptions, type MlpOptions } from "./mlp.ts";
export {
  imagesAtOnce,
  initialTensors,
  initialValues,
  isNetwork,
  type Mode,
  type Network,
  type Parameters,
  type ParameterSpec,
  type Statistics,
  type Task,
} from "./network.ts";
export type { Probe, Probed, ProbedAffine, ProbedConvolution, ProbedLayer, ProbedLinear } from "./probe.ts";
export { resNet18, resNet18Options, type ResNet18Options } from "./resNet18.ts";
export { resNetAp10, resNetAp10Options, type ResNetAp10Options } from "./resNetAp10.ts";
export { vgg11, vgg11Options, type Vgg11Options } from "./vgg11.ts";

/** Architectures by name. */
export const networks = {
  convNet: { options: convNetOptions, build: convNet },
  resNet18: { options: resNet18Options, build: resNet18 },
  resNetAp10: { options: resNetAp10Options, build: resNetAp10 },
  vgg11: { options: vgg11Options, build: vgg11 },
  alexNet: { options: alexNetOptions, build: alexNet },
  leNet: { options: leNetOptions, build: leNet },
  mlp: { options: mlpOptions, build: mlp },
} as const satisfies OptionTable & Record<string, { build: (options: never, task: Task) => Network }>;

/** A network's name and options, as a config states them. */
export type NetworkChoice = Chosen<typeof networks>;

/** A network's name, alone or with options that differ from their defaults. */
export type NetworkInput = Choice<typeof networks>;

/** Schema of a network, by its named types, so that declarations of whatever has one do not spell out all networks again. */
export const networkOption: z.ZodType<NetworkChoice, NetworkInput> = choice(networks);

/** A schema of a network that may be left out. */
export type OptionalNetwork = z.ZodType<NetworkChoice, NetworkInput | undefined> & {
  readonly _zod: { readonly optin: "optional" };
};

/** The same where one is preferred: it is taken where none is given, and completed where options come without a name. */
export function networkPreferring(
  preferred: { readonly name: keyof typeof networks } & Readonly<Record<string, unknown>>,
): OptionalNetwork {
  return choice(networks, preferred);
}

/** The network of a choice for images and classes of `task`. */
export function networkOf({ name, ...options }: NetworkChoice, task: Task): Network {
  return networks[name].build(options as never, task);
}
