import { type Html, html } from "../html.ts";
import type { Look } from "../palette.ts";
import { rankingTables, type RankingTable } from "../tables/ranking.ts";
import { sortable, valueCell } from "./comparison.ts";
import type { PageData } from "./pageData.ts";
import { about, methodLabel, scrolling, section } from "./parts.ts";

/** Ranking scores and what they come from, where sets were ranked. */
export function rankingSection(data: PageData, look: Look): Html {
  const tables = rankingTables(data);
  if (tables.length === 0) return html``;
  return section(
    "ranking",
    "Ranking scores",
    "Sets held against random real images of the same number under the same recipe, so that what soft labels and augmentation " +
      "give to any images does not count for the method.",
    html`${tables.map((table) => scores(table, look))}`,
  );
}

function scores({ id, title, note, columns, rows, methods, dataset }: RankingTable, look: Look): Html {
  return html`<div class="setting comparison" ${about({ dataset })}>
    <h3>${title}</h3>
    <p class="soft">${note}</p>
    ${scrolling(
      title,
      sortable(
        { id, columns },
        rows.map(([first, ...cells], i) => {
          const method = methods[i]!;
          return html`<tr ${about({ method })}>
            <th scope="row" data-sort="${first as string}">${methodLabel(method, look, first as string)}</th>
            ${cells.map((cell, at) => valueCell(cell, columns[at + 1]!))}
          </tr>`;
        }),
      ),
    )}
  </div>`;
}
