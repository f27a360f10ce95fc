import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeArtifact } from "../../experiments/artifact.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { machine } from "../../experiments/machine.ts";
import { openRun, prepareRun, type RunFolder } from "../../experiments/runFolder.ts";
import type { Partition } from "../../src/datasets/partition.ts";
import type { Whitening } from "../../src/datasets/whitening.ts";
import type { ImageShape } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import type { Network } from "../../src/networks/index.ts";

/** A synthetic set that a method might have learned. */
export interface Learnt {
  readonly imageShape: ImageShape;
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** [n, h, w, c]. */
  readonly images: Float32Array;
  /** What is learned beside them, by the names that objectives give it. */
  readonly beside?: Readonly<Record<string, Tensor>>;
  readonly whitening?: Whitening;
  /** Of images that are mosaics. */
  readonly partition?: Partition;
}

/** The folder of a run with this result, in a new results folder. @param changes to its config, as on the command line. */
export function finishedRun(engine: Engine, learnt: Learnt, changes: readonly string[] = []): RunFolder {
  const { imageShape, labels, classNames, mean, std, images, beside = {}, whitening, partition } = learnt;
  const config = {
    data: "procedural",
    partition,
    // Takes images of any size.
    network: { name: "convNet", depth: 1, pooling: "none" },
    steps: 0,
    evaluation: { protocol: "quick", networks: 2 },
  };
  const results = mkdtempSync(join(tmpdir(), "distillery-run-"));
  const run = openRun(results, resolveExperiment("finished", config, changes), 0);
  prepareRun(run, false);
  const train = { name: "made", pixels: new Uint8Array(0), imageShape, labels, classNames, mean, std };
  const real = { ...train, ...(whitening && { whitening }) };
  const tensor = engine.tensor([labels.length, ...imageShape], images);
  const network = { name: "convNet-d3", flattenOrder: "chw" } as Network;
  writeArtifact(
    run,
    { ...beside, images: tensor },
    { real, train, labels, network, machine: machine(engine), seconds: 1 },
  );
  tensor.dispose();
  return run;
}
