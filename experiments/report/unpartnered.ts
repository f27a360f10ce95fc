import { homeSettings } from "./charts/setting.ts";
import { listed, methodOf, pluralOf } from "./labels.ts";
import { pairedComparisons } from "./pairedComparisons.ts";
import type { Summary } from "./summarize.ts";
import { differences } from "./variants.ts";

/** Configs named one by one; more are counted. */
const NAMED = 3;

/**
 * What keeps a plugin from being compared with the same config without it, where there is one that is nearly the same:
 * a sentence for each config with a plugin that has no partner.
 */
export function unpartnered(summaries: readonly Summary[]): string[] {
  const compared = new Set(
    pairedComparisons(summaries).flatMap(({ kind, one }) => (kind === "plugins" ? [one] : [])),
  );
  const found = homeSettings(summaries).flatMap((rivals) =>
    rivals.filter((one) => one.plugins !== "" && !compared.has(one)).flatMap((one) => nearest(one, rivals)),
  );
  const rest = found.length - NAMED;
  return [
    ...found.slice(0, NAMED),
    ...(rest > 0 ? [`Of ${pluralOf(rest, "more config")} with a plugin the same is true.`] : []),
  ];
}

function nearest(one: Summary, rivals: readonly Summary[]): string[] {
  const differing = (other: Summary): string[] =>
    differences(one, other).filter((path) => !path.startsWith("plugins."));
  const bare = rivals
    .filter(
      ({ objective, plugins, accuracy }) =>
        objective === one.objective && plugins === "" && accuracy.count > 0,
    )
    .map((other) => ({ other, paths: differing(other) }))
    .sort((a, b) => a.paths.length - b.paths.length)[0];
  if (!bare || bare.paths.length === 0) return [];
  return [
    `${one.experiment} (${methodOf(one)}) is not compared with what it is without its plugin: of the configs of ` +
      `${one.objective} alone, the nearest, ${bare.other.experiment}, also differs in ${listed(bare.paths)}.`,
  ];
}
