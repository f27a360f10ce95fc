import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine } from "../../src/engines/index.ts";
import { readExperiment } from "../config.ts";
import { duration } from "../progress.ts";
import { distillExperiment } from "./distill.ts";
import { evaluateRun } from "./evaluate.ts";
import { writeReport } from "./report.ts";

const configs = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "configs");

/** The methods side by side, as configs. */
const members = ["random-procedural-lt", "dm-procedural-lt", "csdm-procedural-lt"];

/** What the demo changes in them to be smaller. */
const sizes = {
  full: [],
  small: [
    "steps=4",
    "imagesPerClass=2",
    "data.trainPerClass=60",
    "data.testPerClass=10",
    "network.width=8",
    "evaluation.networks=2",
  ],
} as const satisfies Record<string, readonly string[]>;

export const demoSizes = Object.keys(sizes) as (keyof typeof sizes)[];

/**
 * Distils a generated long-tailed data set with several methods, evaluates them all, and writes rows, a table, image
 * grids and the page. A demo that was cut off goes on; one that is done is shown again.
 */
export async function runDemo(
  { engine, reason }: { readonly engine: Engine; readonly reason: string },
  { size, out, force }: { readonly size: keyof typeof sizes; readonly out: string; readonly force: boolean },
  print: (line: string) => void,
): Promise<void> {
  const begun = performance.now();
  print(
    `Distilling 10 classes of generated images with a long tail, ${members.length} methods side by side.`,
  );
  print(`Engine: ${reason}`);
  const overrides: readonly string[] = sizes[size];
  for (const [i, name] of members.entries()) {
    print(`${i + 1} of ${members.length}: ${name}`);
    const steps = name.startsWith("random")
      ? overrides.filter((text) => !text.startsWith("steps="))
      : overrides;
    const experiment = readExperiment(join(configs, `${name}.yaml`), steps);
    for (const run of await distillExperiment(experiment, engine, { results: out, force })) {
      await evaluateRun(run, engine, { force });
    }
  }
  const { table, page } = await writeReport(out);
  print(`\n${table}`);
  print(`Done in ${duration((performance.now() - begun) / 1000)}. Open ${page} in a browser.`);
}
