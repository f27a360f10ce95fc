import type { Chosen, OptionTable } from "../../core/options.ts";
import { fresh, freshOptions } from "./fresh.ts";
import type { NetworkSource } from "./networkSource.ts";
import { pretrained, pretrainedOptions } from "./pretrained.ts";
import { queue, queueOptions } from "./queue.ts";

export type { MatchingNetworks, NetworkSource } from "./networkSource.ts";

/** Sources of matching networks by name. */
export const networkSources = {
  fresh: { options: freshOptions, build: fresh },
  queue: { options: queueOptions, build: queue },
  pretrained: { options: pretrainedOptions, build: pretrained },
} as const satisfies OptionTable & Record<string, { build(options: never): NetworkSource }>;

/** A source's name and options, as a config states them. */
export type NetworkSourceChoice = Chosen<typeof networkSources>;

/** The source of a choice. */
export function networkSourceOf({ name, ...options }: NetworkSourceChoice): NetworkSource {
  // The choice pairs each name with its own options; the compiler cannot follow that through the table.
  const build = networkSources[name].build as (given: typeof options) => NetworkSource;
  return build(options);
}
