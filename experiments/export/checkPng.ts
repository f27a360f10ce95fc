import type { Engine } from "../../src/engines/index.ts";
import { check } from "../../src/core/errors.ts";
import { fromPixels, toPixels } from "../../src/runs/space.ts";
import { decodedSet } from "../../src/runs/storedSet.ts";
import { evaluateRun, evaluateSubject } from "../commands/evaluate.ts";
import { subjectOf } from "../judge/subject.ts";
import type { Row } from "../results.ts";
import type { RunFolder } from "../runFolder.ts";
import type { PngAccuracies } from "./card.ts";
import { expectedAccuracy } from "./describe.ts";
import { eightBit } from "./png.ts";

/**
 * Accuracy of networks trained on a run's images and on the same as PNGs hold them, by the run's protocol and from the
 * same seeds. Rows of the former are the run's; those of the latter are not kept.
 */
export async function pngAccuracies(
  run: RunFolder,
  engine: Engine,
  networks: number,
): Promise<PngAccuracies> {
  const options = { networks, force: false };
  const float32 = await evaluateRun(run, engine, options);
  const { where, label, set: stored, classNames, experiment, columns } = subjectOf(run);
  const set = decodedSet(stored);
  const bytes = eightBit(toPixels(set.images, set, set.imageShape));
  const pixels = Float32Array.from(bytes, (byte) => byte / 255);
  const images = fromPixels(pixels, set, set.imageShape);
  const asPng = {
    where,
    label: `${label}, as PNG`,
    set: { ...set, images },
    classNames,
    experiment,
    columns,
  };
  const png = await evaluateSubject(asPng, engine, options);
  return { float32: accuracyOf(run, float32), png: accuracyOf(run, png) };
}

function accuracyOf({ path }: RunFolder, rows: readonly Row[]) {
  const done = rows.filter(({ status }) => status === "done");
  check(done.length > 0, () => `${path}: expected a network that can be trained, got ${rows[0]!.status}`);
  return expectedAccuracy(done);
}
