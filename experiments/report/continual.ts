import type { ContinualResult } from "../continual/result.ts";
import { slug } from "./charts/chart.ts";
import { shortNames } from "./charts/shortNames.ts";
import { pluralOf } from "./labels.ts";
import { inOrder } from "./order.ts";
import { groups } from "./summarize.ts";

/** What results must share to be drawn into one plot: all but the method. */
const setting = [
  "dataset",
  "imbalance",
  "imagesPerClass",
  "classSteps",
  "protocol",
  "evaluationNetwork",
] as const satisfies readonly (keyof ContinualResult)[];

/** Methods of one setting, baselines first. */
export type Rivals = readonly [ContinualResult, ...ContinualResult[]];

/** Results that can be compared, setting by setting. */
export function continualRivals(results: readonly ContinualResult[]): Rivals[] {
  const order = inOrder(results.map(({ method }) => method));
  const sorted = [...results].sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  return [...groups(sorted, setting).values()] as unknown as Rivals[];
}

/** A setting as part of a file's name; protocol and network are in it where there are several of them among all. */
export function continualName([one]: Rivals, all: readonly ContinualResult[]): string {
  const several = (key: "protocol" | "evaluationNetwork"): boolean =>
    new Set(all.map((other) => other[key])).size > 1;
  const short = shortNames(all.map(({ evaluationNetwork }) => evaluationNetwork));
  return [
    slug(one.dataset),
    ...(one.imbalance > 1 ? [`lt${one.imbalance}`] : []),
    `ipc${one.imagesPerClass}`,
    `steps${one.classSteps}`,
    ...(several("protocol") ? [slug(one.protocol)] : []),
    ...(several("evaluationNetwork") ? [slug(short(one.evaluationNetwork))] : []),
  ].join("-");
}

/** A setting in words, as a sentence. */
export function continualInWords([one]: Rivals): string {
  const tail = one.imbalance > 1 ? `long-tailed at ${one.imbalance}:1` : "balanced";
  const size = one.classesSeen[0]!;
  return (
    `${one.dataset}, ${tail}, ${pluralOf(one.imagesPerClass, "image")} per class, ${pluralOf(one.classSteps, "step")} of ` +
    `${size} classes, by protocol ${one.protocol} on ${one.evaluationNetwork}.`
  );
}

/** "Mean ± population standard deviation over 6 networks: 3 for each of 2 orders of the classes." */
export function continualRepetitions(rivals: Rivals): string {
  const said = rivals.map(({ orders, networks }) => {
    const each = `${networks} for each of ${pluralOf(orders.length, "order")} of the classes`;
    return `over ${pluralOf(orders.length * networks, "network")}: ${each}`;
  });
  const failures = rivals.filter((one) => one.failures > 0);
  const failed = failures.map(
    (one) => ` ${labelOf(rivals, one)}: ${pluralOf(one.failures, "network")} failed and do not count.`,
  );
  const all = new Set(said);
  const counted =
    all.size === 1 ? said[0]! : rivals.map((one, i) => `${labelOf(rivals, one)} ${said[i]!}`).join("; ");
  return `Mean ± population standard deviation ${counted}.${failed.join("")}`;
}

/** The method, and the experiment where several of its configs are among the rivals. */
export function labelOf(rivals: Rivals, one: ContinualResult): string {
  const alike = rivals.filter(({ method }) => method === one.method);
  return alike.length > 1 ? `${one.method}, ${one.experiment}` : one.method;
}

/** What decides how methods look, of those that no summary tells of. */
export function continualMethods(results: readonly ContinualResult[]) {
  return continualRivals(results)
    .flat()
    .map(({ method, steps }) => ({ objective: method, plugins: "", steps }));
}
