import { methodOf, pluralOf } from "../labels.ts";
import { groups, type Summary } from "../summarize.ts";
import { mainVariant } from "../variants.ts";

/** One summary for each method of a setting: its main variant among those with an accuracy. */
export function mainConfigs(rivals: readonly Summary[]): {
  readonly mains: Summary[];
  readonly note: string;
} {
  const measured = rivals.filter(({ accuracy }) => Number.isFinite(accuracy.mean));
  const methods = [...groups(measured, ["objective", "plugins"]).values()];
  const counts = methods
    .filter((variants) => variants.length > 1)
    .map((variants) => `of ${pluralOf(variants.length, "config")} of ${methodOf(variants[0]!)}`);
  return {
    mains: methods.map(mainVariant),
    note:
      counts.length === 0
        ? ""
        : `Shown ${counts.join(" and ")}: the one that the others were varied from, not the best.`,
  };
}
