import { sizeOf } from "../../src/core/shape.ts";
import type { Engine } from "../../src/engines/index.ts";
import { convNet } from "../../src/networks/index.ts";
import type { StudentBatch, Synthetic, Trajectory } from "../../src/objectives/trajectory.ts";
import { channelsLast, chirp, chirpImages, chirpParameters } from "../networks/chirp.ts";

/** A step on images as they are. */
export const plain = (...positions: number[]): StudentBatch => ({
  positions: Int32Array.from(positions),
  augmentation: { op: "none" },
});

/** Two steps on all six images, and four on pairs in which two images recur. */
export const schedules: Record<"A_2step_full" | "B_4step_batch2", StudentBatch[]> = {
  A_2step_full: [plain(0, 1, 2, 3, 4, 5), plain(0, 1, 2, 3, 4, 5)],
  B_4step_batch2: [plain(4, 1), plain(0, 5), plain(2, 3), plain(5, 2)],
};

/** Cases 2 to 4: a student of 327 parameters, and a target near its start. */
export function student(
  on: Engine,
  batches: StudentBatch[],
): { trajectory: Trajectory; synthetic: Synthetic } {
  const network = convNet({ depth: 2, width: 4 }, { imageShape: [8, 8, 3], classes: 3 });
  const start = chirpParameters(on, network);
  const wave = chirp(327, 0.9, 0.0003, 0.3);
  let used = 0;
  const target = start.map((part) => {
    const [outputs, h, w, inputs] = part.shape;
    const shape = part.shape.length === 4 ? [outputs!, inputs!, h!, w!] : part.shape;
    const own = on.tensor(shape, wave.subarray(used, (used += sizeOf(shape))));
    return part.add((shape.length === 4 ? channelsLast(own) : own).mul(0.05));
  });
  return {
    trajectory: { network, start, target, batches },
    synthetic: {
      images: chirpImages(on, "syn", [6, 8, 8, 3]),
      labels: Int32Array.of(0, 0, 1, 1, 2, 2),
      stepSize: on.fill([], 0.05),
    },
  };
}
