import type { TopLevelSpec } from "vega-lite";
import type { ClassShape } from "../../../src/evaluation/maps/index.ts";
import type { MapRecord, MapSubject } from "../../map/record.ts";
import { numberRows } from "../../map/tables.ts";
import { pluralOf } from "../labels.ts";
import { percent } from "../numbers.ts";
import type { Series } from "../palette.ts";
import { type Chart, colorOf, slug, WIDTH } from "./chart.ts";
import { framed, quantity } from "./frame.ts";
import { spaceOf } from "./mapWords.ts";
import { shortened } from "./shortened.ts";
import { shortNumber } from "./stretches.ts";
import { textWidth } from "./textWidth.ts";

/** A number of a class, and how it is shown. */
interface Measure {
  readonly name: string;
  readonly of: (shape: ClassShape) => number | null;
  readonly format: string;
  readonly said: (value: number) => string;
}

const measures: readonly Measure[] = [
  { name: "Center distance", of: (shape) => shape.centerDistance, format: ".2~f", said: shortNumber },
  { name: "Spread, real = 1", of: (shape) => shape.spreadRatio, format: ".2~f", said: shortNumber },
  { name: "Covariance distance", of: (shape) => shape.covarianceDistance, format: ".2~f", said: shortNumber },
  {
    name: "Nearest to own class",
    of: (shape) => shape.nearestClass,
    format: ".0%",
    said: (value) => `${percent(value, 0)} %`,
  },
];

/** Letters of labels; between panels; pixels of a row and above a panel. */
const [LABEL, GAP, ROW, HEAD] = [11, 16, 20, 28];
/** Widest label of a set. */
const LABELS = 96;

/** How the classes of each set lie beside the real ones: the mean over classes large, single classes small. */
export function mapNumberChart(map: MapRecord, looks: readonly Series[]): Chart {
  const { subjects, name, dataset } = map;
  const methods = [...new Set(subjects.map(({ method }) => method))];
  const title = "Classes in the space of features";
  const draws = Math.max(0, ...subjects.map(({ random }) => random?.draws ?? 0));
  const said = subjects.map(({ label, geometry }) => `${label} ${inWords(geometry.overall)}`);
  const random = subjects.flatMap((one) => (one.random ? [inWords(one.random.geometry.overall)] : []));
  return {
    id: `map-${slug(name)}-numbers`,
    section: "maps",
    title,
    caption:
      `${dataset}, ${spaceOf(map)}, all ${map.space.width} dimensions. Means over classes, small each class` +
      (draws > 0 ? `, tick as many random real images (${pluralOf(draws, "draw")}). ` : ". ") +
      "Distance of class means in units of the real spread; variance within classes over the real one; distance of covariances " +
      "over the real one’s norm; images nearest to the real mean of their class.",
    alt: `${title}, means over classes: ${said.join("; ")}${random.length === 0 ? "" : `; as many random real images ${random[0]!}`}.`,
    dataset,
    methods,
    legend: [],
    numbers: numberRows(map).map((row) => ({
      ...row,
      spreadRatio: row.spreadRatio ?? "",
      covarianceDistance: row.covarianceDistance ?? "",
    })),
    spec: spec(subjects, looks, methods),
  };
}

function inWords(shape: ClassShape): string {
  return measures
    .map(({ name, of, said }) => {
      const value = of(shape);
      return `${name.toLowerCase()} ${value === null ? "unknown" : said(value)}`;
    })
    .join(", ");
}

function spec(
  subjects: readonly MapSubject[],
  looks: readonly Series[],
  methods: readonly string[],
): TopLevelSpec {
  const names = subjects.map(({ label }) => label);
  const left = Math.min(LABELS, Math.max(...names.map((label) => textWidth(label, LABEL)))) + 10;
  const width = Math.floor((WIDTH - left - GAP - 10) / 2);
  const { config } = framed([]);
  const known = measures.filter(({ of }) => subjects.some((one) => of(one.geometry.overall) !== null));
  const concat = known.map((measure, at) => ({
    width,
    height: ROW * names.length,
    title: {
      text: measure.name,
      anchor: "start",
      frame: "group",
      offset: 4,
      fontSize: LABEL,
      color: "var(--ink)",
      fontWeight: 500,
      font: "inherit",
    },
    layer: layersOf({ subjects, looks, methods, names }, measure, at),
    resolve: { scale: { x: "shared" } },
  }));
  return {
    padding: 2,
    columns: 2,
    bounds: "flush",
    spacing: { column: GAP, row: HEAD + 16 },
    resolve: { scale: { x: "independent" } },
    concat,
    config,
  } as unknown as TopLevelSpec;
}

interface Rows {
  readonly subjects: readonly MapSubject[];
  readonly looks: readonly Series[];
  readonly methods: readonly string[];
  readonly names: readonly string[];
}

function layersOf(
  { subjects, looks, methods, names }: Rows,
  { name, of, format, said }: Measure,
  at: number,
): object[] {
  const y = {
    field: "name",
    type: "nominal",
    sort: null,
    scale: { type: "point", domain: names.map((label) => shortened(label, LABELS, LABEL)), padding: 0.5 },
    axis: { title: null, labels: at % 2 === 0, labelLimit: LABELS + 10, grid: true, domain: false },
  };
  const axis = quantity("value", { title: "", format, grid: true, padding: 6, zero: false });
  const x = { ...axis, axis: { ...(axis as { axis?: object }).axis, title: null, tickCount: 3 } };
  const layer = (kind: string, values: object[], mark: object, more: object = {}): object => ({
    name: `${kind}_${at}`,
    data: { values },
    mark: { aria: false, ...mark },
    encoding: { x, y, ...more },
  });
  const ofSubject = (one: MapSubject, i: number): object[] => {
    const row = shortened(names[i]!, LABELS, LABEL);
    const color = colorOf(looks[i]!);
    const series = `series_${methods.indexOf(one.method)}`;
    const classes = one.geometry.classes.flatMap((shape) => {
      const value = shape && of(shape);
      return value === null ? [] : [{ name: row, value }];
    });
    const mean = of(one.geometry.overall);
    const random = one.random && of(one.random.geometry.overall);
    const text = `${one.label}, ${name.toLowerCase()}: ${mean === null ? "unknown" : said(mean)}`;
    return [
      layer(`${series}_classes${i}`, classes, { type: "point", filled: true, size: 8, opacity: 0.5, color }),
      layer(`${series}_random${i}`, random === null ? [] : [{ name: row, value: random }], {
        type: "tick",
        color: "var(--ink)",
        thickness: 2,
        size: 14,
      }),
      layer(
        `${series}_mean${i}`,
        mean === null ? [] : [{ name: row, value: mean, text }],
        { type: "point", filled: true, size: 60, opacity: 1, color, shape: looks[i]!.shape, aria: true },
        { description: { field: "text" } },
      ),
    ];
  };
  return subjects.flatMap(ofSubject);
}
