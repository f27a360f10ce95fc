import type { PopulationSpread } from "../../../src/evaluation/continual.ts";
import {
  continualInWords,
  continualName,
  continualRepetitions,
  continualRivals,
  labelOf,
  type Rivals,
} from "../continual.ts";
import type { ReportData } from "../data.ts";
import type { Measurement, Table } from "./table.ts";

/** Accuracy after each step of class-incremental learning, a row for each method. */
export function continualTables({ continual = [] }: ReportData): Table[] {
  return continualRivals(continual).map((rivals) => tableOf(rivals, continualName(rivals, continual)));
}

function tableOf(rivals: Rivals, name: string): Table {
  const [{ dataset, classesSeen, classSteps }] = rivals;
  const measured = (spread: PopulationSpread): Measurement => ({ spread });
  const unit = "accuracy" as const;
  const summed = classSteps > 1 ? (["average", "forgetting"] as const) : [];
  return {
    id: `continual-${name}`,
    kind: "continual",
    title: `${dataset}: classes in ${classSteps === 1 ? "one step" : `${classSteps} steps`}`,
    note: [
      `Test accuracy in percent on all classes seen so far: ${continualInWords(rivals)}`,
      continualRepetitions(rivals),
      ...(classSteps > 1
        ? [
            "Average: over the steps. Forgetting: by how much the accuracy on a step’s classes has fallen from its highest, over " +
              "orders.",
          ]
        : []),
    ].join(" "),
    columns: [
      { name: "method" },
      ...classesSeen.map((seen) => ({ name: String(seen), group: "Classes seen", unit })),
      ...summed.map((column) => ({ name: column, unit })),
    ],
    rows: rivals.map((one) => [
      labelOf(rivals, one),
      ...one.accuracies.map(measured),
      ...summed.map((column) => measured(one[column])),
    ]),
  };
}
