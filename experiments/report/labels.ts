import type { Summary } from "./summarize.ts";
import { changesFrom, differences, mainVariant } from "./variants.ts";

/** "csdm + difficultyCorrection": the method of a row or summary, as figures and tables name it. */
export function methodOf({ objective, plugins }: Pick<Summary, "objective" | "plugins">): string {
  return plugins === "" ? objective : `${objective} + ${plugins}`;
}

/**
 * The method; where several of its configs are among the rivals, with what differs from their main variant, as in
 * "csdm, kernel.scale=2", or the experiment's name where no option does.
 */
export function labelAmong(rivals: readonly Summary[], one: Summary): string {
  const method = methodOf(one);
  const alike = rivals.filter((other) => methodOf(other) === method);
  if (alike.length < 2) return method;
  const main = mainVariant(alike);
  const changes = changesFrom(main, one);
  const twin = alike.some((other) => other !== one && differences(other, one).length === 0);
  return [method, ...(changes === "" ? [] : [changes]), ...(twin ? [one.experiment] : [])].join(", ");
}

/** "1 network", "5 networks". */
export function pluralOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly string[], last: "and" | "or" = "and"): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)!}`;
}

/** A setting in words: what is learned from what, and how it is measured. */
export function settingOf(one: Summary): { readonly title: string; readonly detail: string } {
  const tail = one.imbalance > 1 ? `, long-tailed at ${one.imbalance}:1` : "";
  const networks =
    one.network === one.evaluationNetwork
      ? `on ${one.network}`
      : `on ${one.evaluationNetwork}, distilled with ${one.network}`;
  return {
    title: `${one.dataset}${tail}, ${pluralOf(one.imagesPerClass, "image")} per class`,
    detail: `Test accuracy by protocol ${one.protocol} ${networks}`,
  };
}

/** What the numbers and the star mean. */
export const significanceNote =
  "Accuracy is the mean over all trained networks ± their standard deviation. A star marks the best method of a " +
  "setting where it differs from every other by a t-test (two-sided, 5%): the paired one over distillation seeds that " +
  "both have, where these are several, else Welch’s between the networks, and then it speaks of these synthetic sets only.";
