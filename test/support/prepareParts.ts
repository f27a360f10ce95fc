import { once } from "node:events";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { prepare, preparedFor } from "../../experiments/preparation.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import { smallPreparation } from "./smallPreparations.ts";

/** A process that makes four parts and what they need into a folder once it is told to: ROOT LOG [KILLED_AFTER_REPORT]. */
const [root, log, killed] = process.argv.slice(2) as [string, string, string?];
const killedAfter = killed === undefined ? {} : { killedAfter: Number(killed) };
const networks = smallPreparation({ name: "networks", parts: 4, log, ...killedAfter });
const heads = smallPreparation({ name: "heads", parts: 4, log, needs: [networks] });
const experiment = resolveExperiment("tiny", {
  data: { name: "procedural", classes: 2, trainPerClass: 6, testPerClass: 2 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: "dm",
  steps: 1,
});
const { splits } = await loadData(experiment.data);
const { engine } = await selectEngine("auto", { threads: 1 });
process.stdout.write("ready\n");
await once(process.stdin, "data");
await prepare([preparedFor(root, experiment, heads)], sourceOf(experiment, splits, engine));
engine.close();
