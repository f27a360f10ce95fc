import { join } from "node:path";
import { stringify as csv } from "csv-stringify/sync";
import { writeWhole } from "../files.ts";
import { featureMap, type MapPlace } from "../map/compute.ts";
import { mapFile } from "../map/files.ts";
import type { MapOptions } from "../map/options.ts";
import type { MapRecord } from "../map/record.ts";
import type { MapSubjects } from "../map/subjects.ts";
import { numberRows, pointRows } from "../map/tables.ts";
import { chartPng, chartSvg } from "../report/charts/index.ts";
import { chartsOfMap } from "../report/charts/maps.ts";
import { seriesOf } from "../report/palette.ts";

/**
 * Makes a map of features, and writes it into a folder:
 *
 *     map.json       all of it: images, places, numbers, every option; reports draw it from here
 *     points.csv     a line for each image on the map
 *     numbers.csv    a line for each class of each set, and for all classes
 *     figures/       the charts, as SVG and PNG
 */
export async function makeMap(
  subjects: MapSubjects,
  options: MapOptions,
  { out, ...place }: MapPlace & { readonly out: string },
): Promise<MapRecord> {
  const record = await featureMap(subjects, options, place);
  writeWhole(mapFile(out), `${JSON.stringify(record)}\n`);
  writeWhole(join(out, "points.csv"), csv(pointRows(record), { header: true }));
  writeWhole(join(out, "numbers.csv"), csv(numberRows(record), { header: true }));
  const look = seriesOf(
    record.subjects.map(({ method, steps }) => ({ objective: method, plugins: "", steps: steps ?? NaN })),
  );
  for (const chart of chartsOfMap(record, look)) {
    writeWhole(join(out, "figures", `${chart.id}.svg`), await chartSvg(chart, "print"));
    writeWhole(join(out, "figures", `${chart.id}.png`), await chartPng(chart));
  }
  return record;
}
