import { continualRivals } from "../continual.ts";
import { type Html, html } from "../html.ts";
import type { Look } from "../palette.ts";
import { continualTables } from "../tables/continual.ts";
import { comparison } from "./comparison.ts";
import type { PageData } from "./pageData.ts";
import { section } from "./parts.ts";

/** Class-incremental learning: a table for each setting, and its charts. */
export function continualSection(data: PageData, look: Look, charts: Html): Html {
  const rivals = continualRivals(data.continual ?? []);
  if (rivals.length === 0) return html``;
  const tables = continualTables(data).map((table, i) => comparison(table, rivals[i]![0].dataset, look));
  return section(
    "continual",
    "Continual learning",
    "Classes come one group after another, and what is kept of each is its memory.",
    html`${tables}${charts}`,
  );
}
