/** Functions that run inside of a page: each is sent there as its source and can use nothing around it. */

/** Texts that are cut off: out of the window's sides, out of a box that hides what overflows, or out of their drawing. */
export function cutTexts() {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const element = node.parentElement;
    if (text === "" || element.closest("script, style, noscript, title, desc, .unseen, .skip")) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const beyond = (frame) => box.left < frame.left - 1 || box.right > frame.right + 1;
    let where = null;
    for (let at = element; at && where === null; at = at.parentElement) {
      const { overflowX, position } = getComputedStyle(at);
      // What can be scrolled to is not cut.
      if (overflowX === "auto" || overflowX === "scroll") break;
      const hides = ["hidden", "clip"].includes(overflowX);
      if (hides && at !== document.body && beyond(at.getBoundingClientRect())) where = at;
      if (at === document.body && beyond({ left: 0, right: innerWidth })) where = at;
      if (position === "fixed") break;
    }
    if (where)
      found.push(`${text} in ${where.tagName.toLowerCase()} ${where.id || where.getAttribute("class")}`);
  }
  return found;
}

/** Texts in drawings, which axe-core does not look at, with less than 4.5 to 1 between them and what is behind. */
export function faintTexts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      const [, , , opacity = 1] = channels(backgroundColor);
      if (opacity > 0) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("svg text")].flatMap((text) => {
    if (text.textContent.trim() === "" || !text.checkVisibility()) return [];
    const { fill } = getComputedStyle(text);
    const [high, low] = [luminance(fill), luminance(behind(text.closest("svg")))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    return ratio < 4.5 ? [`${text.textContent}: ${fill}, ${ratio.toFixed(2)}`] : [];
  });
}

/** Pixels by which the page is wider than the window. */
export function sidewaysScroll() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}

/** Unfolds everything that is folded away. */
export function unfold() {
  for (const details of document.querySelectorAll("details")) details.open = true;
}

/**
 * Everything that is about a method or a data set: what it and all around it is about, and whether it is seen. Of drawn
 * marks the classes tell, series-METHOD.
 */
export function marked() {
  const found = document.querySelectorAll(
    "main [data-method], main [data-methods], main [data-dataset], main [class*='series-']",
  );
  // What holds others goes with the last of them.
  const single = [...found].filter(
    (element) => element.querySelector("[data-method], [data-methods]") === null,
  );
  const isSeen = (element) => {
    const page = element.closest("svg")?.parentElement ?? element;
    if (!page.checkVisibility()) return false;
    // What a drawing hides, browsers report as visible.
    for (let at = element; at !== page; at = at.parentElement) {
      if (getComputedStyle(at).display === "none") return false;
    }
    return true;
  };
  return single.map((element) => {
    const about = [];
    for (let at = element; at; at = at.parentElement) {
      const { method, methods, dataset } = at.dataset;
      const series = [...at.classList].find((name) => name.startsWith("series-"));
      if (method !== undefined) about.push([`method/${method}`]);
      if (methods !== undefined) about.push(methods.split(" ").map((one) => `method/${one}`));
      if (dataset !== undefined) about.push([`dataset/${dataset}`]);
      if (series !== undefined) about.push([`method/${series.slice("series-".length)}`]);
    }
    return {
      about,
      text: `${element.tagName} ${element.textContent.trim().slice(0, 40)}`,
      seen: isSeen(element),
    };
  });
}

/** Images and drawings that a reader who does not see them is told nothing, or no number, of. */
export function withoutWords() {
  const pictures = [...document.querySelectorAll("main img")].map((image) => image.alt);
  const drawings = [...document.querySelectorAll("main svg")]
    .filter((drawing) => drawing.closest("[aria-hidden=true]") === null)
    .map(
      (drawing) => drawing.getAttribute("aria-label") ?? drawing.querySelector("title")?.textContent ?? "",
    );
  return [...pictures.filter((text) => text === ""), ...drawings.filter((text) => !/\d/.test(text))];
}

/** What has the focus, as its label or text, and whether a line or shade around it shows that. */
export function focused() {
  const element = document.activeElement;
  const around = element.closest("label") ?? element;
  const shown = [element, around].some((each) => {
    const { outlineStyle, boxShadow } = getComputedStyle(each);
    return outlineStyle !== "none" || boxShadow !== "none";
  });
  return { name: around.textContent.trim() || around.getAttribute("aria-label") || around.title, shown };
}

/** Lightness of what is behind the page's text, 0 … 255. */
export function background() {
  const [r, g, b] = getComputedStyle(document.body)
    .backgroundColor.match(/[\d.]+/g)
    .map(Number);
  return (r + g + b) / 3;
}

/** Whether the beginning of an element is in the window. */
export function isInView(id) {
  const { top } = document.getElementById(id).getBoundingClientRect();
  return top > -1 && top < innerHeight;
}

/** Whether the last picture of the page is another than that. */
export function hasNewPicture(address) {
  return [...document.querySelectorAll("main img")].at(-1).src !== address;
}
