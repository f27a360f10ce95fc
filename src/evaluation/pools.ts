import { oneOf } from "../core/errors.ts";
import { choice, type Choice } from "../core/options.ts";
import { parsed } from "../core/parse.ts";
import { type NetworkChoice, networks } from "../networks/index.ts";

/** What of a run the architectures of a pool depend on. */
export interface RunNetworks {
  /** Architecture that the images were matched under. */
  readonly matching: NetworkChoice;
  /** Architecture that its config asks to judge by, where that is another. */
  readonly evaluation?: NetworkChoice | undefined;
}

/** Architectures that published work judges images by together. */
export interface Pool {
  /** The letter that it has in the code of dataset condensation, as in `--eval_mode M`. */
  readonly published: string;
  /** What is in it. */
  readonly description: string;
  /** Its networks, with the depth and width of the run's own ConvNet where they are not what varies. */
  networks(run: RunNetworks): readonly Choice<typeof networks>[];
}

/**
 * Pools of architectures by name, as dataset condensation and its successors judge by them (Zhao et al. 2021, from their
 * code). There, ConvNets have 3 blocks of 128 channels; here, what the run's own has, so that a ConvNet for larger images or
 * for fewer cores takes its place.
 */
export const pools = {
  all: {
    published: "M",
    description: "MLP, ConvNet, LeNet, AlexNet, VGG-11 and ResNet-18",
    networks: (run) => ["mlp", ...convNets(run, [{}]), "leNet", "alexNet", "vgg11", "resNet18"],
  },
  width: {
    published: "W",
    description: "ConvNets of 32, 64, 128 and 256 channels",
    networks: (run) =>
      convNets(
        run,
        [32, 64, 128, 256].map((width) => ({ width })),
      ),
  },
  depth: {
    published: "D",
    description: "ConvNets of 1, 2, 3 and 4 blocks",
    networks: (run) =>
      convNets(
        run,
        [1, 2, 3, 4].map((depth) => ({ depth })),
      ),
  },
  activation: {
    published: "A",
    description: "ConvNets with sigmoid, ReLU, leaky ReLU and swish",
    networks: (run) =>
      convNets(
        run,
        (["sigmoid", "relu", "leakyRelu", "swish"] as const).map((activation) => ({ activation })),
      ),
  },
  pooling: {
    published: "P",
    description: "ConvNets with no, max and average pooling",
    networks: (run) =>
      convNets(
        run,
        (["none", "max", "avg"] as const).map((pooling) => ({ pooling })),
      ),
  },
  norm: {
    published: "N",
    description: "ConvNets with no, batch, layer, instance and group norm",
    networks: (run) =>
      convNets(
        run,
        (["none", "batch", "layer", "instance", "group"] as const).map((norm) => ({ norm })),
      ),
  },
  batchNorm: {
    published: "B",
    description: "ConvNet (ReLU, swish), AlexNet, VGG-11, ResNet-18 by batch norm",
    networks: (run) => [
      ...convNets(run, [{ norm: "batch" }, { norm: "batch", activation: "swish" }]),
      { name: "alexNet", norm: "batch" },
      { name: "vgg11", norm: "batch" },
      { name: "resNet18", norm: "batch" },
    ],
  },
  instanceTwin: {
    published: "S",
    description: "the network of the matching, its twin if it has batch norm",
    networks: ({ matching }) => [withoutBatchNorm(matching)],
  },
} as const satisfies Record<string, Pool>;

type ConvNetChoice = Extract<NetworkChoice, { name: "convNet" }>;

/** ConvNets that differ from the usual one as told, of the depth and width of the run's own. */
function convNets(
  { evaluation, matching }: RunNetworks,
  changes: readonly Partial<ConvNetChoice>[],
): Choice<typeof networks>[] {
  const own = [evaluation, matching].find((given) => given?.name === "convNet") as ConvNetChoice | undefined;
  const size = own && { depth: own.depth, width: own.width };
  return changes.map((change) => ({ name: "convNet", ...size, ...change }));
}

/**
 * A network as the code of dataset condensation judges by it that was matched under batch norm: it cuts the name of a model
 * where it says so, which leaves the usual norm and, of a ResNet-18-AP, the ResNet-18.
 */
function withoutBatchNorm(given: NetworkChoice): Choice<typeof networks> {
  if (!("norm" in given) || given.norm !== "batch") return given as Choice<typeof networks>;
  const kept: Record<string, unknown> = { ...given };
  delete kept.norm;
  delete kept.downsampling;
  return kept as Choice<typeof networks>;
}

/**
 * The architectures that some words name: pools, and networks of the table, which have their usual options unless the run
 * has options for one of that name.
 *
 * @param where names the words in errors. @param words as in ["all", "resNetAp10"].
 * @throws InputError for a word that names none, with the nearest that does.
 */
export function architectures(where: string, words: readonly string[], run: RunNetworks): NetworkChoice[] {
  return words.flatMap((word) => {
    const meant = oneOf<Pool | { readonly options: unknown }>(where, { ...pools, ...networks }, word);
    if ("published" in meant) return meant.networks(run).map((given) => complete(where, given));
    const own = [run.evaluation, run.matching].find((given) => given?.name === word);
    return [own ?? complete(where, word as keyof typeof networks)];
  });
}

const complete = (where: string, given: Choice<typeof networks>): NetworkChoice =>
  parsed(where, choice(networks), given);
