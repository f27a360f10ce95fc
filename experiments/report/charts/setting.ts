import { pluralOf } from "../labels.ts";
import { settings, type Summary } from "../summarize.ts";
import { slug } from "./chart.ts";
import { shortNames } from "./shortNames.ts";

/** What all summaries of a chart share, as far as they do. */
type Shared = Partial<
  Pick<Summary, "dataset" | "imbalance" | "imagesPerClass" | "network" | "protocol" | "evaluationNetwork">
>;

/** The columns in which all of these summaries agree. */
export function sharedBy(summaries: readonly Summary[]): Shared {
  const keys = [
    "dataset",
    "imbalance",
    "imagesPerClass",
    "network",
    "protocol",
    "evaluationNetwork",
  ] as const;
  const first = summaries[0]!;
  const shared = keys.filter((key) => summaries.every((one) => one[key] === first[key]));
  return Object.fromEntries(shared.map((key) => [key, first[key]]));
}

/** A setting in words, as a sentence. */
export function inWords({
  dataset,
  imbalance,
  imagesPerClass,
  network,
  protocol,
  evaluationNetwork,
}: Shared): string {
  const data = [
    dataset,
    ...(imbalance === undefined ? [] : [imbalance > 1 ? `long-tailed at ${imbalance}:1` : "balanced"]),
    ...(imagesPerClass === undefined ? [] : [`${pluralOf(imagesPerClass, "image")} per class`]),
  ].filter((part) => part !== undefined);
  const on = evaluationNetwork === undefined ? "" : ` on ${evaluationNetwork}`;
  const from = network === undefined || network === evaluationNetwork ? "" : `, distilled with ${network}`;
  const by = protocol === undefined ? "" : `, by protocol ${protocol}`;
  return `${data.join(", ")}${by}${on}${from}.`;
}

/** A setting as part of a file's name; networks and protocol are in it where the report has several of them. */
export function inName(shared: Shared, summaries: readonly Summary[]): string {
  const { dataset = "", imbalance = 1, imagesPerClass, network, evaluationNetwork, protocol } = shared;
  const several = (key: "network" | "protocol"): boolean =>
    new Set(summaries.map((one) => one[key])).size > 1;
  const short = shortNames(summaries.flatMap((one) => [one.network, one.evaluationNetwork]));
  const crossed = network !== evaluationNetwork && evaluationNetwork !== undefined;
  return [
    slug(dataset),
    ...(imbalance > 1 ? [`lt${imbalance}`] : []),
    ...(imagesPerClass === undefined ? [] : [`ipc${imagesPerClass}`]),
    ...(network !== undefined && (several("network") || crossed) ? [slug(short(network))] : []),
    ...(crossed ? [`on-${slug(short(evaluationNetwork))}`] : []),
    ...(protocol !== undefined && several("protocol") ? [slug(protocol)] : []),
  ].join("-");
}

/** Settings whose images are evaluated on the network they were distilled with; where none is, all. */
export function homeSettings(summaries: readonly Summary[]): Summary[][] {
  const all = settings(summaries);
  const data = (rivals: readonly Summary[]): string => inWords(sharedData(rivals[0]!));
  const home = all.filter(([one]) => one!.network === one!.evaluationNetwork);
  const covered = new Set(home.map(data));
  return all.filter((rivals) => home.includes(rivals) || !covered.has(data(rivals)));
}

function sharedData({ dataset, imbalance, imagesPerClass }: Summary): Shared {
  return { dataset, imbalance, imagesPerClass };
}

/** "Mean ± standard deviation over 6 networks of 2 seeds." of measurements that may differ in how often they were made. */
export function repetitions(summaries: readonly Summary[]): string {
  const range = (counts: readonly number[], noun: string): string => {
    const [low, high] = [Math.min(...counts), Math.max(...counts)];
    return low === high ? pluralOf(low, noun) : `${low} to ${pluralOf(high, noun)}`;
  };
  const counted = summaries.filter(({ accuracy }) => accuracy.count > 0);
  if (counted.length === 0) return "";
  if (counted.every(({ accuracy }) => accuracy.count === 1))
    return "One network each, which tells nothing of the spread.";
  const networks = range(
    counted.map(({ accuracy }) => accuracy.count),
    "network",
  );
  const seeds = range(
    counted.map(({ seedAccuracy }) => seedAccuracy.count),
    "seed",
  );
  return `Mean ± standard deviation over ${networks} of ${seeds} each.`;
}
