import { protocols } from "../../../src/evaluation/protocols.ts";
import { type Html, html } from "../html.ts";
import { pluralOf } from "../labels.ts";
import type { PageData, UsedMachine } from "./pageData.ts";
import { about, folded, idOf, scrolling, section } from "./parts.ts";

/** How everything was measured, on what, and with which options. */
export function originSection(data: PageData): Html {
  if (data.rows.length === 0 && data.configs.length === 0) return html``;
  return section(
    "origins",
    "Where the numbers come from",
    "",
    html`${protocolList(data)} ${machineTable(data)}
      <p>
        Beside this page, <code>tables/</code> holds its tables as Markdown, CSV and LaTeX, and
        <code>figures/</code> its charts as SVG and PNG and its images as PNG.
      </p>
      ${configList(data)}`,
  );
}

function protocolList({ rows }: PageData): Html {
  const used = [...new Set(rows.map(({ protocol }) => protocol))];
  if (used.length === 0) return html``;
  const known: Readonly<Record<string, { readonly version: number; readonly description: string }>> =
    protocols;
  return html`<h3>Protocols</h3>
    <dl class="facts">
      ${used.map((id) => {
        const protocol = known[id];
        return html`<dt>${id}</dt>
          <dd>
            ${protocol ? `${protocol.description} Version ${protocol.version}.` : "Unknown to this version."}
          </dd>`;
      })}
    </dl>`;
}

function machineTable({ machines, rows }: PageData): Html {
  const commits = [...new Set(rows.map(({ commit }) => commit))];
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const measured =
    rows.length === 0
      ? ""
      : html`<p>
          ${pluralOf(rows.length, "row")} of runs.csv, measured by commit ${commits.join(", ")} on
          ${engines.join(", ")}.
        </p>`;
  const headings = ["processor", "cores", "memory", "engine", "Distillery", "Node", "last run", "runs"];
  const table = html`<table>
    <thead>
      <tr>
        ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${machines.map(machineRow)}
    </tbody>
  </table>`;
  return html`<h3>Code and machines</h3>
    ${measured} ${machines.length > 0 ? scrolling("Machines", table) : ""}`;
}

function machineRow(one: UsedMachine): Html {
  const { processor, cores, memoryGiB, engineDescription, distillery, commit, node, date, runs } = one;
  return html`<tr>
    <th scope="row">${processor}</th>
    <td class="number">${cores}</td>
    <td class="number">${memoryGiB} GiB</td>
    <td>${engineDescription}</td>
    <td>${distillery} (${commit})</td>
    <td>${node}</td>
    <td>${date.slice(0, 10)}</td>
    <td class="number">${runs}</td>
  </tr>`;
}

function configList({ configs }: PageData): Html {
  if (configs.length === 0) return html``;
  return html`<h3>Configs, every option resolved</h3>
    ${configs.map(({ experiment, dataset, seeds, text }) => {
      const name = `${experiment}, ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
      return html`<div class="config" ${about({ dataset })}>
        ${folded(name, scrolling(`Config of ${name}`, html`<pre>${text}</pre>`), {
          id: idOf("config", experiment),
        })}
      </div>`;
    })}`;
}
