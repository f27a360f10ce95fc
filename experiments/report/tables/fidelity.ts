import { slug } from "../charts/chart.ts";
import { comparedRuns } from "../charts/discrepancy.ts";
import { labelsOf } from "../charts/metrics.ts";
import { inName, inWords } from "../charts/setting.ts";
import type { ReportData, RunRecord } from "../data.ts";
import { pluralOf } from "../labels.ts";
import { highFrequencyRatios } from "../../spectra.ts";
import { spreadOf } from "../statistics.ts";
import { groups } from "../summarize.ts";
import { type Cell, type Table, unknown } from "./table.ts";

/** Every experiment's images beside real ones: distances in feature space and high-frequency energy, over its seeds. */
export function fidelityTables({ runs, summaries }: ReportData): Table[] {
  const keyed = comparedRuns(runs).map((run) => ({ ...run, network: run.discrepancy.network }));
  const settings = groups(keyed, ["dataset", "imbalance", "imagesPerClass", "network"]);
  return [...settings.values()].map((setting) => {
    const { dataset, imbalance, imagesPerClass, network, discrepancy } = setting[0]!;
    const { factors, networks } = discrepancy;
    const base = factors.indexOf(1);
    const experiments = [...groups(setting, ["experiment"]).values()];
    const labels = labelsOf(experiments, summaries);
    const over = (own: typeof setting, value: (run: (typeof setting)[number]) => number): Cell => ({
      spread: spreadOf(own.map(value)),
    });
    const several = new Set(keyed.map((one) => one.network)).size > 1;
    return {
      id: `fidelity-${inName({ dataset, imbalance, imagesPerClass }, [])}${several ? `-${slug(network)}` : ""}`,
      kind: "fidelity" as const,
      title: `${dataset}: images beside real ones`,
      note: [
        inWords({ dataset, imbalance, imagesPerClass }),
        `Squared MMD to held-out images under Gaussian kernels of ${factors.join(", ")} median distances, on features of`,
        `${pluralOf(networks, "random network")} ${network}, mean over classes; at 1 also over that of as many random`,
        "training images; and energy above half of the finest grating’s frequency over that of real images.",
        "Mean ± standard deviation over seeds.",
      ].join(" "),
      columns: [
        { name: "method" },
        ...factors.map((factor) => ({ name: String(factor), group: "Squared MMD", decimals: 4 })),
        { name: "over random", decimals: 2 },
        { name: "high frequencies", decimals: 2 },
        { name: "seeds" },
      ],
      rows: experiments.map((own, i) => [
        labels[i]!,
        ...factors.map((_, at) => over(own, (run) => run.discrepancy.synthetic.overall[at]!)),
        over(own, ({ discrepancy: one }) => one.synthetic.overall[base]! / one.real.overall[base]!),
        energyOf(own),
        own.length,
      ]),
    };
  });
}

function energyOf(runs: readonly RunRecord[]): Cell {
  const known = runs.flatMap(({ spectra }) => (spectra ? [highFrequencyRatios(spectra).overall] : []));
  return known.length === 0 ? unknown : { spread: spreadOf(known) };
}
