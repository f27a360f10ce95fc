// Filters, sorting, enlarged images and theme. Without it the page is whole and still.

/** What is filtered out, as "method/dm" and "dataset/mnist". */
const out = new Set(new URLSearchParams(location.hash.slice(1)).get("without")?.split(",") ?? []);
/** How tables were sorted by hand: column and direction by the id around a table. */
const sortings = new Map();
const rules = new CSSStyleSheet();
document.adoptedStyleSheets = [rules];

/** Whether filters let an element be seen: it, and all that it lies in. */
function passes(element) {
  for (let at = element; at; at = at.parentElement) {
    const { method, methods, dataset } = at.dataset;
    if (out.has(`method/${method}`) || out.has(`dataset/${dataset}`)) return false;
    if (methods && methods.split(" ").every((one) => out.has(`method/${one}`))) return false;
  }
  return true;
}

function applyFilters() {
  const rule = (one) => {
    const [name, value] = one.split("/").map((part) => CSS.escape(part));
    const marks = name === "method" ? `, main .series-${value}` : "";
    return `main [data-${name}="${value}"]${marks} { display: none !important; }`;
  };
  rules.replaceSync([...out].map(rule).join("\n"));
  for (const chart of document.querySelectorAll("main [data-methods]")) chart.hidden = !passes(chart);
  // What holds nothing but filtered things goes with them.
  for (const holder of document.querySelectorAll("main .setting, main section")) {
    const held = [...holder.querySelectorAll("[data-method], [data-methods], [data-dataset]")];
    holder.hidden = holder.id !== "summary" && held.length > 0 && !held.some(passes);
  }
  for (const box of document.querySelectorAll(".filters input"))
    box.checked = !out.has(`${box.name}/${box.value}`);
  document.querySelector(".reset").hidden = out.size === 0;
  remember();
}

/** Keeps the filters in the address, behind the section that it names, so that a link shows the same. */
function remember() {
  const section = location.hash
    .slice(1)
    .split("&")[0]
    .replace(/^without=.*/, "");
  const without = out.size > 0 ? `without=${[...out].join(",")}` : "";
  const hash = [section, without].filter(Boolean).join("&");
  if (hash === location.hash.slice(1)) return;
  try {
    history.replaceState(null, "", hash === "" ? location.pathname + location.search : `#${hash}`);
  } catch {
    // Some viewers forbid it; the filters work all the same.
  }
}

const idAround = (table) => table.closest("[id]").id;

/** Puts a table's rows in the order of a column; what has no value goes last. */
function sortTable(table, column, direction) {
  const valueOf = (row) => {
    const cell = row.cells[column];
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  const compare = (a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === "" || y === "") return Number(x === "") - Number(y === "");
    const difference = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return direction === "ascending" ? difference : -difference;
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  [...table.tHead.rows[0].cells].forEach((head, i) => {
    if (i === column) head.setAttribute("aria-sort", direction);
    else head.removeAttribute("aria-sort");
  });
  sortings.set(idAround(table), { column, direction });
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const first = head.classList.contains("number") ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    button.addEventListener("click", () =>
      sortTable(table, column, head.getAttribute("aria-sort") === first ? second : first),
    );
  });
  const before = sortings.get(idAround(table));
  if (before) sortTable(table, before.column, before.direction);
  table.classList.replace("sortable", "sorted");
}

/** A picture becomes a button that shows it large. */
function makeZoomable(image) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "zoom";
  button.title = "Enlarge";
  image.replaceWith(button);
  button.append(image);
  button.addEventListener("click", () => {
    const dialog = document.querySelector("dialog.zoomed");
    const large = image.cloneNode();
    const scale = Math.max(1, Math.floor((0.9 * innerWidth) / image.naturalWidth));
    large.width = image.naturalWidth * Math.min(scale, 3);
    large.height = image.naturalHeight * Math.min(scale, 3);
    dialog.querySelector(".scroll").replaceChildren(large);
    dialog.querySelector("span").replaceChildren(...button.nextElementSibling.cloneNode(true).childNodes);
    dialog.showModal();
  });
}

/** Brings what was loaded or taken over to life. */
function enhance() {
  for (const table of document.querySelectorAll("main table.sortable")) makeSortable(table);
  for (const image of document.querySelectorAll("main figure > img")) makeZoomable(image);
  for (const section of document.querySelectorAll("main section")) inView.observe(section);
  applyFilters();
}

/** Marks the section that is read in the bar. */
const inView = new IntersectionObserver(
  (entries) => {
    const current = entries.find((entry) => entry.isIntersecting)?.target.id;
    if (current === undefined) return;
    for (const link of document.querySelectorAll(".bar nav a:not(.brand)")) {
      if (link.hash === `#${current}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  },
  { rootMargin: "-25% 0px -70% 0px" },
);

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("distillery-theme", theme);
  } catch {
    // It then lasts as long as the page is open.
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.name === "theme") setTheme(target.value);
  if (target.name !== "method" && target.name !== "dataset") return;
  const one = `${target.name}/${target.value}`;
  if (target.checked) out.delete(one);
  else out.add(one);
  applyFilters();
});

/** A double click leaves one method or data set alone. */
document.addEventListener("dblclick", ({ target }) => {
  if (!target.matches?.(".filters input")) return;
  for (const box of document.querySelectorAll(`.filters input[name="${target.name}"]`)) {
    const one = `${box.name}/${box.value}`;
    if (box === target) out.delete(one);
    else out.add(one);
  }
  applyFilters();
});

document.addEventListener("reset", (event) => {
  event.preventDefault();
  out.clear();
  applyFilters();
});

const chosen = document.documentElement.dataset.theme ?? "system";
document.querySelector(`input[name="theme"][value="${chosen}"]`).checked = true;
addEventListener("hashchange", remember);
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("main details")) one.open = true;
});
document.addEventListener("contentchange", enhance);
enhance();
const linked = location.hash.slice(1).split("&")[0];
if (linked !== "" && !linked.includes("=")) document.getElementById(linked)?.scrollIntoView();
