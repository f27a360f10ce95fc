import { judgedRuns } from "../charts/frequencies.ts";
import { inName, inWords } from "../charts/setting.ts";
import type { ReportData } from "../data.ts";
import type { Table } from "./table.ts";

/** Errors of spectral estimates by the number of frequencies, of each run that has them. */
export function frequencyTables({ runs }: ReportData): Table[] {
  return judgedRuns(runs).map(
    ({ dataset, imbalance, imagesPerClass, experiment, method, seed, frequencies }) => {
      const setting = { dataset, imbalance, imagesPerClass };
      return {
        id: `frequencies-${inName(setting, [])}-${experiment}`,
        kind: "frequencies" as const,
        title: `${dataset}: error of spectral estimates, ${experiment}`,
        note:
          `${inWords(setting)} Relative error of the spectral estimate of the squared MMD between images of ${method}, seed ` +
          `${seed}, and held-out real ones under a random network, root mean square over classes and draws; beside it what ` +
          "independent frequencies have in theory.",
        columns: [
          { name: "frequencies" },
          ...frequencies.flatMap(({ kernel }) => [
            { name: "measured", group: kernel, decimals: 3 },
            { name: "theory", group: kernel, decimals: 3 },
          ]),
        ],
        rows: frequencies[0]!.counts.map((count, i) => [
          count,
          ...frequencies.flatMap(({ errors, expected }) => [errors[i]!, expected[i]!]),
        ]),
      };
    },
  );
}
