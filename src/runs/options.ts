import { z } from "zod";
import { check, type InputError } from "../core/errors.ts";
import { choice, type Choice, type Chosen } from "../core/options.ts";
import { parsed } from "../core/parse.ts";
import { type Scarcity, scarcityPolicies } from "../coresets/coreset.ts";
import { parseStrategy } from "../datasets/augment.ts";
import { type InitializationChoice, initializationOption } from "../distillers/initialize.ts";
import { type CellOrder, cellOrders, type Downscaling, downscalings } from "../datasets/partition.ts";
import { protocols } from "../evaluation/protocols.ts";
import { type Network, networkOption, networkPreferring, type networks } from "../networks/index.ts";
import { methods } from "../objectives/index.ts";
import type { Objective, Plugin } from "../objectives/objective.ts";
import { type Optimizer, optimizers, schedules } from "../optimizers/index.ts";
import { plugins } from "../plugins/index.ts";

const names = <T extends object>(table: T): [keyof T & string, ...(keyof T & string)[]] =>
  Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];

const pluginOption = choice(plugins);

/** A method's name with all of its options. */
export type ChosenMethod = Chosen<typeof methods>;

// By its named types, so that declarations do not spell out all options of all methods again.
export const methodOption: z.ZodType<ChosenMethod, MethodChoice> = choice(methods);

/** Options of images that are mosaics. */
const partitionOptions = z.strictObject({
  factor: z.int().min(2).default(2).describe("Cells along a side, which divides both sides of the images"),
  order: z
    .enum(cellOrders)
    .default("columns")
    .describe("Of the cells: down the columns (IDM) or along the rows (IDC, NCFM)"),
  downscale: z
    .enum(downscalings)
    .default("mean")
    .describe(
      "How random real images fill the cells at step 0: mean of factor² pixels (IDM), or every factor-th (NCFM)",
    ),
});

/** Options of a distillation, as a config states them. */
export const distillationOptions = z.strictObject({
  imagesPerClass: z.int().min(1).max(10_000).default(10).describe("Synthetic images of each class"),
  partition: partitionOptions
    .optional()
    .describe(
      "Each image is a mosaic of factor² images, which matching and training enlarge; whole images without",
    ),
  network: networkPreferring({ name: "convNet" }).describe("Architecture that matching draws from"),
  objective: methodOption.optional().describe("Method; without one the initial images are the result"),
  plugins: z.array(pluginOption).default([]).describe("Wrapped around the objective, first innermost"),
  initialization: initializationOption
    .default({ name: "random" })
    .describe("Synthetic images at step 0, which are the result where there is no objective"),
  scarcity: z
    .enum(scarcityPolicies)
    .default("duplicate")
    .describe(
      "Where a class has fewer images to choose from than imagesPerClass, or cells: repeat them, or stop with an error",
    ),
  augmentation: z
    .string()
    .superRefine((strategy, context) => {
      try {
        parseStrategy(strategy);
      } catch (error) {
        context.addIssue((error as InputError).message.replace(/^augmentation: /, ""));
      }
    })
    .optional()
    .describe(
      "Siamese augmentation: one of color_crop_flip, all of color+crop+flip, or none; by default one of all that suit the data set",
    ),
  optimizer: choice(optimizers, { name: "sgd", learningRate: 1, momentum: 0.5 }).describe(
    "Optimizer of the images",
  ),
  stepping: z
    .enum(["joint", "perClass"])
    .default("joint")
    .describe(
      "joint: one update of all images together; perClass: one for each class, by its gradient alone, in which momentum " +
        "carries all the others on (IDM)",
    ),
  schedule: choice(schedules, { name: "constant" }).describe("How their learning rate goes over the steps"),
  range: z
    .enum(["free", "pixels"])
    .default("free")
    .describe("Values of the images: free, or held between black and white by clamping in every step (NCFM)"),
  zca: z
    .boolean()
    .default(false)
    .describe(
      "Whitening of all images by ZCA, fitted on the run's training images, instead of normalization by channel: " +
        "synthetic ones are learned in that space, and test images brought there",
    ),
  steps: z.int().min(0).describe("Updates of the images"),
});

/** Options by which a synthetic set is judged, as a config states them. */
export const evaluationOptions = z.strictObject({
  protocol: z.enum(names(protocols)).default("dm-1000").describe("How evaluation networks are trained"),
  networks: z.int().min(1).default(5).describe("Fresh networks trained on each synthetic set"),
  network: networkOption.optional().describe("Their architecture; by default that of the matching"),
});

/** A method's name, alone or with options that differ from their defaults, as in `{ name: "csdm", frequencies: 512 }`. */
export type MethodChoice = Choice<typeof methods>;

/** A plugin's name, alone or with options that differ from their defaults. */
export type PluginChoice = Choice<typeof plugins>;

/** What of a distillation can be a config's choice from a table, or an object of the caller's own. */
interface OwnOrChosen {
  readonly network: Network | Chosen<typeof networks>;
  readonly objective?: Objective | ChosenMethod | undefined;
  readonly plugins: readonly (Plugin | Chosen<typeof plugins>)[];
  readonly optimizer: Optimizer | Chosen<typeof optimizers>;
}

/** Every option of a distillation, resolved. */
export type ResolvedOptions = Omit<z.output<typeof distillationOptions>, keyof OwnOrChosen> & OwnOrChosen;

/** Options of a distillation. What is left out has the default of a config. */
export interface DistillationOptions {
  /** Updates of the images. */
  readonly steps: number;
  /**
   * The method: a name of `methods`, alone or with options that differ from their defaults, or an objective of your own.
   * Without one the initial images are the result, and `steps` is 0.
   */
  readonly objective?: MethodChoice | Objective;
  /** Wrapped around the objective, the first innermost. Default: none. */
  readonly plugins?: readonly (PluginChoice | Plugin)[];
  /** Synthetic images of each class. Default 10. */
  readonly imagesPerClass?: number;
  /** Makes each image a mosaic of factor² images of the class, 2² by default; `{}` for all defaults. Default: whole images. */
  readonly partition?: {
    readonly factor?: number;
    readonly order?: CellOrder;
    readonly downscale?: Downscaling;
  };
  /** Architecture of the networks that matching draws: a choice of `networks`, or your own. Default: ConvNet-3, width 128. */
  readonly network?: Choice<typeof networks> | Network;
  /** The images at step 0: random real ones, the default, those that another coreset chooses, or noise. */
  readonly initialization?: InitializationChoice;
  /** Where a class has fewer real images than `imagesPerClass`, or cells in as many: repeat them, the default, or stop with an error. */
  readonly scarcity?: Scarcity;
  /**
   * Siamese augmentation: "color_crop_flip" for one of the three at a time, "color+crop+flip" for all one after another, or
   * "none". Default: one at a time of all operations that suit the classes.
   */
  readonly augmentation?: string;
  /** Optimizer of the images: a choice of `optimizers`, or your own. Default: SGD at rate 1 with momentum 0.5. */
  readonly optimizer?: Choice<typeof optimizers> | Optimizer;
  /** One update of all images together in a step, the default, or one for each class, as `perClass` says. */
  readonly stepping?: "joint" | "perClass";
  /** How the learning rate of a chosen optimizer goes over the steps: constant, the default, or falling as `plateau` says. */
  readonly schedule?: Choice<typeof schedules>;
  /** Values of the images: free, the default, or held between black and white by clamping in every step. */
  readonly range?: "free" | "pixels";
  /**
   * Whether all images are whitened by ZCA, fitted on the training images, instead of normalized by channel; the result says
   * how. Default false.
   */
  readonly zca?: boolean;
}

/**
 * The options with their defaults; objects of the caller's own stay as they are.
 *
 * @throws InputError naming every option that is wrong.
 */
export function resolvedOptions(where: string, given: DistillationOptions): ResolvedOptions {
  const { plugins: wrapped = [], ...single } = given;
  const isOwn = (value: unknown): boolean =>
    isObject(value) && ownMembers.some((member) => typeof value[member] === "function");
  const own = Object.fromEntries(Object.entries(single).filter(([, value]) => isOwn(value)));
  const chosen = Object.fromEntries(Object.entries(single).filter(([key]) => !(key in own)));
  const options = {
    ...parsed(where, distillationOptions, withRunDefaults(chosen, architectureOf(given.network))),
    ...own,
    plugins: wrapped.map((plugin, i) =>
      typeof plugin === "function" ? plugin : parsed(`${where}.plugins.${i}`, pluginOption, plugin),
    ),
  } as ResolvedOptions;
  checkOptions(where, options);
  return options;
}

/**
 * A config with the defaults that its method brings for options of the run, where it states none of its own. An optimizer
 * without a name changes the method's.
 *
 * @param architecture of the matching networks, where the config does not state it.
 */
export function withRunDefaults(config: unknown, architecture?: string): unknown {
  if (!isObject(config)) return config;
  const method = nameOf(config.objective);
  const entry = Object.hasOwn(methods, method ?? "") ? methods[method as keyof typeof methods] : undefined;
  if (!entry || !("run" in entry)) return config;
  const { optimizer, ...defaults } = entry.run(architecture ?? nameOf(config.network) ?? "convNet");
  const stated = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  const own = stated.optimizer;
  const completed = isObject(own) && !("name" in own) && !("update" in own) ? { ...optimizer, ...own } : own;
  return { ...defaults, ...stated, optimizer: completed ?? optimizer };
}

/** Of a network of the caller's own, as in convNet of "convNet-d3-w128-relu-instance-avg". */
function architectureOf(network: DistillationOptions["network"]): string | undefined {
  return typeof network === "object" && "embed" in network ? network.name.split("-")[0] : undefined;
}

/** Of a choice, spelled as its name alone or with options. */
function nameOf(choice: unknown): string | undefined {
  const name = isObject(choice) ? choice.name : choice;
  return typeof name === "string" ? name : undefined;
}

/** Members by which an objective, a network and an optimizer are told from a choice of one. */
const ownMembers = ["draw", "embed", "update"];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** What must agree in a run's options. */
type Agreeing = Pick<ResolvedOptions, "objective" | "steps" | "plugins" | "zca" | "range" | "partition">;

/** Checks that options of a run fit each other: that there is a method wherever there are steps or plugins for one, too. */
export function checkOptions(where: string, options: Agreeing): void {
  const { objective, steps, plugins: wrapped, zca } = options;
  if (zca) checkWhole(where, options);
  check(
    objective !== undefined || (steps === 0 && wrapped.length === 0),
    () =>
      `${where}: expected an objective for ${steps} steps and ${wrapped.length} plugins, got none; ` +
      "name one, or set steps to 0 and leave the plugins out for the initial images",
  );
}

/**
 * Checks options that make no sense of whitened images.
 *
 * @throws InputError for values held between black and white, and for mosaics.
 */
export function checkWhole(
  where: string,
  { range, partition }: Pick<ResolvedOptions, "range" | "partition">,
): void {
  check(
    range === "free",
    () =>
      `${where}.range: expected free beside zca, got ${range}; black and white are no bounds of single values there, as ` +
      "whitening mixes all pixels of an image",
  );
  check(
    partition === undefined,
    () =>
      `${where}.partition: expected none beside zca, got one; whitening is of whole images, and a cell that is made small or ` +
      "enlarged there is no image that is made small or enlarged. Leave out one of them",
  );
}
