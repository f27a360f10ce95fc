// Follows the results: takes over what changes, and leaves the reader where they are.

/** Milliseconds between questions, while the page is looked at and while it is not. */
const EVERY = { visible: 2000, hidden: 15000 };

const main = document.querySelector("main");
const badge = document.querySelector(".live");
/** Sections as they were served, by id: what is the same stays in place. */
const served = new Map([...main.children].map((section) => [section.id, section.outerHTML]));
const barParts = [".bar nav", ".bar .filters"];
for (const part of barParts) served.set(part, document.querySelector(part).outerHTML);
let version;

async function ask(address) {
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.text();
}

/** Open details and sideways scroll of a section that is about to be replaced. */
function carryOver(old, fresh) {
  for (const details of old.querySelectorAll("details[id]")) {
    const same = fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = details.open;
  }
  const boxes = [...old.querySelectorAll("[role=region]")].filter((box) => box.scrollLeft > 0);
  return () => {
    for (const box of boxes) {
      const same = fresh.querySelector(
        `[role=region][aria-label="${CSS.escape(box.getAttribute("aria-label"))}"]`,
      );
      if (same) same.scrollLeft = box.scrollLeft;
    }
  };
}

function takeOverSections(fresh) {
  const sections = [...fresh.querySelector("main").children];
  for (const old of [...main.children]) {
    if (!sections.some(({ id }) => id === old.id)) old.remove();
  }
  let previous = null;
  for (const section of sections) {
    const old = document.getElementById(section.id);
    const text = section.outerHTML;
    if (old && served.get(section.id) === text) {
      previous = old;
      continue;
    }
    served.set(section.id, text);
    if (old) {
      const scroll = carryOver(old, section);
      old.replaceWith(section);
      scroll();
    } else if (previous) previous.after(section);
    else main.prepend(section);
    previous = section;
  }
}

/** The bar's links and filters; the reader's choice of filters is applied to them afterwards. */
function takeOverBar(fresh) {
  for (const part of barParts) {
    const [old, next] = [document.querySelector(part), fresh.querySelector(part)];
    const text = next.outerHTML;
    if (served.get(part) !== text) old.replaceWith(next);
    served.set(part, text);
  }
}

function takeOver(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const reading = [...main.children].find((section) => section.getBoundingClientRect().bottom > 120);
  const top = reading?.getBoundingClientRect().top;
  takeOverBar(fresh);
  takeOverSections(fresh);
  document.dispatchEvent(new Event("contentchange"));
  const same = reading && document.getElementById(reading.id);
  if (same) scrollBy({ top: same.getBoundingClientRect().top - top, behavior: "instant" });
}

function tell(text, lost) {
  badge.classList.toggle("lost", lost);
  if (badge.lastElementChild.textContent !== text) badge.lastElementChild.textContent = text;
}

async function follow() {
  try {
    const now = JSON.parse(await ask("version"));
    if (now.version !== version) takeOver(await ask("."));
    version = now.version;
    tell(now.notice ?? "live", now.notice !== undefined);
  } catch {
    tell("no answer: this page no longer follows", true);
  }
  setTimeout(follow, EVERY[document.visibilityState]);
}

follow();
