import { appendFileSync } from "node:fs";
import type { Preparation, Source } from "../../src/objectives/objective.ts";

/** What a small preparation does beside its arrays. */
export interface SmallOptions {
  readonly name?: string;
  readonly parts?: number;
  readonly needs?: readonly Preparation[];
  readonly bytes?: number;
  /** File that gets a line "NAME INDEX" for each part that is begun. */
  readonly log?: string;
  /** Reports of a part, each with a state to go on from. */
  readonly reports?: number;
  /** The machine fails after this report of any part. */
  readonly failsAfter?: number;
  /** The process is killed after this report of any part. */
  readonly killedAfter?: number;
}

/** Parts that take no time: dice of the part's own, counts of reports, and the dice of what it needs. */
export function smallPreparation(options: SmallOptions = {}): Preparation {
  const { name = "small", parts = 3, needs, bytes, log, reports = 2, failsAfter, killedAfter } = options;
  const preparation: Preparation = {
    name,
    options: { reports },
    parts,
    ...(needs && { needs }),
    ...(bytes !== undefined && { bytes: () => bytes }),
    *part(source, index, rng, state) {
      if (log) appendFileSync(log, `${name} ${index}\n`);
      const { engine } = source;
      const begun = ((state ?? { reports: 0 }) as { readonly reports: number }).reports;
      for (let done = begun + 1; done <= reports; done++) {
        const counted = engine.tensor([1], Float32Array.of(done));
        yield { share: done / reports, state: { reports: done, counted } };
        counted.dispose();
        if (done === killedAfter) process.kill(process.pid, "SIGKILL");
        if (done === failsAfter) throw new Error("power failure");
      }
      return {
        index: { shape: [1], data: Float32Array.of(index) },
        dice: { shape: [4], data: Float32Array.from({ length: 4 }, () => rng.uniform()) },
        begunAt: { shape: [1], data: Float32Array.of(begun) },
        ...Object.fromEntries((needs ?? []).map((need) => [`of ${need.name}`, diceOf(source, need, index)])),
      };
    },
  };
  return preparation;
}

const diceOf = (source: Source, need: Preparation, index: number) => source.prepared!(need, index).dice!;
