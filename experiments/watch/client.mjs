/**
 * Runs in the browser on a page that `distillery watch` serves: asks every few seconds whether there is a newer one, and
 * if so changes what differs in place, so that filters, opened details, focus and scroll position stay as they are.
 */
import { Idiomorph } from "/idiomorph.js";

/** Milliseconds between questions. */
const INTERVAL = 2000;
/** Milliseconds after which no answer is one. */
const PATIENCE = 20_000;

const status = document.getElementById("watch-status");
let version = document.documentElement.dataset.version;

/** What the reader or the page's own script has set since the page came, by attribute. */
const readersOwn = (attribute, element) =>
  (attribute === "open" && element.tagName === "DETAILS") ||
  (["value", "checked", "aria-pressed"].includes(attribute) && element.matches("input, select, button")) ||
  attribute === "hidden";

const textsOf = (page, selector) => Array.from(page.querySelectorAll(selector), (each) => each.textContent);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

async function refresh() {
  const response = await fetch("/");
  if (!response.ok) throw new Error(response.statusText);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // A page with other scripts is another page: the first after waiting, or that of a newer version.
  if (!same(textsOf(fresh, "script"), textsOf(document, "script"))) return location.reload();
  const styles = textsOf(fresh, "style");
  document.querySelectorAll("style").forEach((style, i) => {
    if (style.textContent !== styles[i]) style.textContent = styles[i];
  });
  document.title = fresh.title;
  Idiomorph.morph(document.querySelector("main"), fresh.querySelector("main"), {
    restoreFocus: true,
    callbacks: { beforeAttributeUpdated: (attribute, element) => !readersOwn(attribute, element) },
  });
  version = fresh.documentElement.dataset.version;
  // The page's own script shows and hides what is new as its filters say.
  document.dispatchEvent(new Event("refreshed"));
}

function say(text, kind) {
  if (status.textContent === text) return;
  status.textContent = text;
  status.dataset.kind = kind;
}

async function look() {
  try {
    const response = await fetch("/version", { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(response.statusText);
    const now = await response.json();
    if (now.version !== version) await refresh();
    if (now.notice === undefined) say("live", "live");
    else say(now.notice, "wrong");
  } catch {
    say("no answer from distillery watch; this page no longer refreshes", "wrong");
  }
}

// One look after the other, and none while nobody looks at the page.
for (;;) {
  if (document.hidden) {
    await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
  } else {
    await look();
    await new Promise((go) => setTimeout(go, INTERVAL));
  }
}
