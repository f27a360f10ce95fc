import type { ContinualResult } from "../../continual/result.ts";
import {
  continualInWords,
  continualName,
  continualRepetitions,
  continualRivals,
  labelOf,
  type Rivals,
} from "../continual.ts";
import type { ReportData } from "../data.ts";
import { percent, percentSpread } from "../numbers.ts";
import type { Look } from "../palette.ts";
import { type Chart, slug } from "./chart.ts";
import { accuracyAxis, type Axis, framed } from "./frame.ts";
import { isSlanted, type Matrix, type MatrixCell, matrixHeight, matrixLayers } from "./matrix.ts";
import { legendOf, type Measured, measuredLayers, pointsInWords } from "./series.ts";

/** Accuracy as classes come one group after another: a curve for each method, and a matrix of each. */
export function continualCharts({ continual = [] }: ReportData, look: Look): Chart[] {
  const rivals = continualRivals(continual);
  const named = rivals.map((group) => ({ group, name: continualName(group, continual) }));
  return [
    ...named.map(({ group, name }) => curves(group, name, look)),
    ...named.flatMap(({ group, name }) =>
      group.filter(({ classSteps }) => classSteps > 1).map((one) => matrix(one, group, name)),
    ),
  ];
}

function curves(rivals: Rivals, name: string, look: Look): Chart {
  const methods = [...new Set(rivals.map(({ method }) => method))];
  const series = rivals.map((one): Measured => ({
    label: labelOf(rivals, one),
    method: methods.indexOf(one.method),
    look: look(one.method),
    points: one.accuracies.map((y, s) => ({ x: one.classesSeen[s]!, y })),
    joined: one.classSteps > 1,
  }));
  const x: Axis = { title: "Classes seen", values: rivals[0].classesSeen };
  const title = "Accuracy on all classes seen so far";
  return {
    id: `continual-${name}`,
    section: "continual",
    title,
    caption:
      `${continualInWords(rivals)} The memory of each step is made of its classes’ images alone; after every step, fresh ` +
      `networks are trained on all memories so far. ${continualRepetitions(rivals)}`,
    alt: `${title}: ${continualInWords(rivals)} ${pointsInWords(series)} classes.`,
    dataset: rivals[0].dataset,
    methods,
    legend: legendOf(series),
    spec: framed(measuredLayers(series, x, accuracyAxis)),
  };
}

/** Steps whose cells are wide enough for a number with its spread, and for a number. */
const [SPREAD, WRITTEN] = [5, 10];

function matrix(one: ContinualResult, rivals: Rivals, name: string): Chart {
  const { classesSeen, classSteps, method } = one;
  const size = classesSeen[0]!;
  const rows = classesSeen.map((seen) => `after ${seen}`);
  const columns = classesSeen.map((seen) =>
    classSteps > SPREAD ? String(seen) : `${seen - size + 1}–${seen}`,
  );
  const cells = one.matrix.flatMap((row, s) =>
    row.map((accuracy, j): MatrixCell => ({
      row: rows[s]!,
      column: columns[j]!,
      mean: accuracy.mean,
      number: classSteps > WRITTEN ? "" : percent(accuracy.mean, classSteps > SPREAD ? 0 : 1),
      spread: classSteps > SPREAD ? "" : `± ${percent(accuracy.std)}`,
      framed: false,
      text: `after ${classesSeen[s]!} classes, on the ${size} of step ${j + 1}: ${percentSpread(accuracy)}%`,
    })),
  );
  const means = cells.map(({ mean }) => mean).filter(Number.isFinite);
  const plot: Matrix = {
    rows: { names: rows, title: "Classes seen" },
    columns: {
      names: columns,
      title: classSteps > SPREAD ? "Up to which class" : "Accuracy on which classes",
      slanted: isSlanted(columns),
    },
    range: [Math.min(...means), Math.max(...means)],
  };
  const label = labelOf(rivals, one);
  const title = `Accuracy on the classes of each step: ${label}`;
  return {
    id: `continual-steps-${name}-${slug(label)}`,
    section: "continual",
    title,
    caption: `${continualInWords([one])} Test accuracy in percent, classes counted in the order in which they come. ${continualRepetitions([one])}`,
    alt: `${title}: ${continualInWords([one])} ${cells.map(({ text }) => text).join("; ")}.`,
    dataset: one.dataset,
    methods: [method],
    legend: [],
    spec: framed(matrixLayers("series_0", cells, plot), matrixHeight(plot)),
  };
}
