/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Part[];

/** Template tag that escapes what is inserted, unless it is HTML already; lists are joined. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.map((text, i) => text + (i < parts.length ? render(parts[i]!) : "")).join("") };
}

/** Text taken as HTML: only for what this program has written itself. */
export function trusted(text: string): Html {
  return { html: text };
}

function render(part: Part): string {
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return part.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  if ("html" in part) return part.html;
  return part.map(render).join("");
}
