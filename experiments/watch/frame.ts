import { html, trusted } from "../report/html.ts";
import { style } from "../report/page/assets.ts";

/** How the line looks that says whether the page still refreshes. */
const statusStyle = `
#watch-status { position: fixed; right: 12px; bottom: 12px; max-width: min(36rem, calc(100vw - 24px)); padding: 3px 12px;
  border: 1px solid var(--line); border-radius: 12px; background: var(--card); color: var(--soft); font-size: 0.8rem;
  overflow-wrap: anywhere; }
#watch-status::before { content: "● "; color: var(--soft); }
#watch-status[data-kind="live"]::before { color: #2da44e; }
#watch-status[data-kind="wrong"] { color: var(--ink); }
#watch-status[data-kind="wrong"]::before { color: #d1242f; }
#watch-status:empty { display: none; }
@media print { #watch-status { display: none; } }
`;

/** A page with what makes it refresh itself: its version, a line that says how that goes, and the script. */
export function framed(page: string, version: string): string {
  const own = html`<style id="watch-style">
      ${trusted(statusStyle)}
    </style>
    <div id="watch-status" role="status"></div>
    <script type="module" src="/client.js"></script>`;
  return page.replace("<html ", `<html data-version="${version}" `).replace(/(?=<\/body>)/, own.html);
}

/** What is shown before there is anything to show. */
export function waitingPage(folder: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Waiting for the first run</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <main>
          <h1>Waiting for the first run</h1>
          <p class="lead">
            Nothing is in <code>${folder}</code> yet. Loss, images and results appear here as soon as a run
            writes them, as with <code>npx distillery distill CONFIG --results ${folder}</code>.
          </p>
        </main>
      </body>
    </html> `.html;
}
