import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { resolveExperiment } from "../../../experiments/config.ts";
import { slurmSchema } from "../../../experiments/slurm/options.ts";
import type { SlurmSweep } from "../../../experiments/slurm/plan.ts";

export const tiny = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 5 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 2 },
  seeds: [0, 1, 2],
};

/** A sweep in a new results folder: two cells at three seeds. */
export function tinySweep(slurm: object = {}, more: Partial<SlurmSweep> = {}): SlurmSweep {
  const results = mkdtempSync(join(tmpdir(), "distillery-slurm-results-"));
  return {
    name: "tiny",
    file: "tiny.yaml",
    text: "",
    overrides: [],
    experiments: ["a", "b"].map((name) => resolveExperiment(name, tiny)),
    results,
    prepared: join(results, "prepared"),
    spread: false,
    options: slurmSchema.parse(slurm),
    ...more,
  };
}

/**
 * Puts programs by the names of Slurm's on PATH, until the function that is returned takes them away.
 *
 * @param programs shell text of each.
 */
export function withPrograms(programs: Readonly<Record<string, string>>): () => void {
  const folder = mkdtempSync(join(tmpdir(), "distillery-slurm-programs-"));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = `${folder}${delimiter}/bin${delimiter}/usr/bin`;
  return () => {
    process.env.PATH = before;
  };
}
