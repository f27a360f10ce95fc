import type { Rng } from "../core/rng.ts";
import { type Coreset, eachClassIn } from "./coreset.ts";

/**
 * Random images of each class without replacement: the baseline of every table, and the usual start of a distillation. Of
 * a pool, uniform sampling.
 */
export function random(): Coreset {
  return {
    choose: (source, asked, rng) => ({
      positions: eachClassIn(source, asked, (members, label) =>
        shuffled(members, rng.stream(`class/${label}`)),
      ),
    }),
  };
}

const shuffled = (members: Int32Array, rng: Rng): Int32Array =>
  rng.permutation(members.length).map((at) => members[at]!);
