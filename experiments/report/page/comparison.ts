import { type Html, html } from "../html.ts";
import {
  type Cell,
  type Column,
  differenceText,
  digits,
  headed,
  isDifference,
  type Table,
} from "../tables/table.ts";
import type { Look } from "../palette.ts";
import { about, methodLabel, scrolling } from "./parts.ts";

/** A table whose columns sort its rows, which are given. */
export function sortable({ id, columns }: Pick<Table, "id" | "columns">, rows: readonly Html[]): Html {
  return html`<table class="sortable" id="${id}">
    <thead>
      <tr>
        ${columns.map((column, i) => headingCell(column, i))}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** Methods against settings, as papers print them: a row for each method. */
export function comparison(table: Table, dataset: string, look: Look): Html {
  const { title, note, columns, rows } = table;
  return html`<div class="setting comparison" ${about({ dataset })}>
    <h3>${title}</h3>
    <p class="soft">${note}</p>
    ${scrolling(
      title,
      sortable(
        table,
        rows.map((cells) => row(cells, columns, look)),
      ),
    )}
  </div>`;
}

/** The head of a column; all but the first are right-aligned. */
export function headingCell(column: Column, place: number): Html {
  const { group } = column;
  const name = html`${group === undefined ? "" : html`<small>${group}</small><br />`}${headed(column)}`;
  return html`<th scope="col" ${place === 0 ? "" : html`class="number"`}>${name}</th>`;
}

function row([first, ...cells]: readonly Cell[], columns: readonly Column[], look: Look): Html {
  const method = typeof first === "string" ? first : "";
  return html`<tr ${about({ method })}>
    <th scope="row" data-sort="${method}">${methodLabel(method, look)}</th>
    ${cells.map((cell, i) => valueCell(cell, columns[i + 1]!))}
  </tr>`;
}

/** A cell of any column but the first. */
export function valueCell(cell: Cell, column: Column): Html {
  if (typeof cell !== "object") return html`<td class="number">${cell}</td>`;
  if (isDifference(cell)) {
    const { difference } = cell;
    return html`<td class="number" data-sort="${difference?.mean ?? ""}">${differenceText(difference)}</td>`;
  }
  const { mean, std, count } = digits(cell, column);
  const text = mean === "" ? "–" : std === "" ? mean : `${mean} ± ${std}`;
  return html`<td class="number" data-sort="${mean}">${cell.best ? html`<b>${text}</b>` : text}${count}</td>`;
}
