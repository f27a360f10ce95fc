import { type Html, html } from "../html.ts";
import { methodOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { intervalsOf, type PairedGroup, pairedGroups, pairingNote } from "../pairedGroups.ts";
import { pairedTable } from "../tables/paired.ts";
import { sortable, valueCell } from "./comparison.ts";
import type { PageData } from "./pageData.ts";
import { about, folded, methodLabel, scrolling, section } from "./parts.ts";

/** What a plugin, an option or a method changes, seed by seed: charts, and the numbers folded away below. */
export function pairedSection(data: PageData, look: Look, charts: Html): Html {
  const found = pairedGroups(data);
  if (found.length === 0) return html``;
  return section(
    "paired",
    "Paired differences",
    "What a plugin, an option or a method changes where all else is the same, in points of test accuracy. " +
      `${pairingNote} What a pair has in common, such as the images it begins with, is no part of the interval, so that ` +
      "it can tell more than two means with their deviations.",
    html`${charts}${found.map((group) => numbers(group, look))}`,
  );
}

function numbers(group: PairedGroup, look: Look): Html {
  const { id, title, columns, rows } = pairedTable(group);
  // Without an interval there is no chart: then the table is all there is to see.
  const open = intervalsOf(group.comparisons).length === 0;
  return html`<div class="setting" ${about({ dataset: group.comparisons[0]!.one.dataset })}>
    ${folded(
      html`<h3>${title}</h3>
        <span class="soft">${group.chance}</span>`,
      html`<p class="soft">${group.setting}</p>
        ${scrolling(
          title,
          sortable(
            { id, columns },
            rows.map(([first, ...cells], i) => {
              const method = methodOf(group.comparisons[i]!.one);
              return html`<tr ${about({ method })}>
                <th scope="row" data-sort="${first as string}">
                  ${methodLabel(method, look, first as string)}
                </th>
                ${cells.map((cell, at) => valueCell(cell, columns[at + 1]!))}
              </tr>`;
            }),
          ),
        )}`,
      { open, id: `table-${id}` },
    )}
  </div>`;
}
