import { rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { writeReport } from "../../experiments/commands/report.ts";
import {
  desk,
  keepScreenshot,
  launched,
  type Opened,
  opened,
  phone,
  screenshots,
  violations,
} from "./browser.ts";
import {
  background,
  cutTexts,
  faintTexts,
  focused,
  isInView,
  type Marked,
  marked,
  sidewaysScroll,
  unfold,
  withoutWords,
} from "./inPage.mjs";
import { studyFolder } from "./studyFolder.ts";

let results: string;
let address: string;
let browser: Browser;
let current: Opened | undefined;

beforeAll(async () => {
  [results, browser] = await Promise.all([studyFolder(), launched()]);
  address = pathToFileURL((await writeReport(results)).page).href;
}, 120_000);

afterAll(async () => {
  await browser.close();
  rmSync(results, { recursive: true });
  process.stderr.write(`screenshots to look at: ${screenshots}\n`);
});

/** The report, open. Whatever went wrong with it fails the test, whatever the test is about. */
async function report(options: BrowserContextOptions = {}, fragment = ""): Promise<Page> {
  current = await opened(browser, address + fragment, options);
  return current.page;
}

afterEach(async () => {
  const troubles = current?.troubles ?? [];
  await current?.close();
  current = undefined;
  expect(troubles).toEqual([]);
});

const chip = (page: Page, name: string) => page.getByRole("checkbox", { name, exact: true });

/** What should be seen once some methods and data sets are filtered out, of all that was. */
function expected(before: readonly Marked[], out: readonly string[]): boolean[] {
  return before.map(
    ({ seen, about }) => seen && !about.some((some) => some.every((one) => out.includes(one))),
  );
}

/** Those that are seen though they should not be, and the other way round. */
function wrongly(before: readonly Marked[], after: readonly Marked[], out: readonly string[]): string[] {
  expect(after).toHaveLength(before.length);
  const should = expected(before, out);
  return after.flatMap(({ seen, text }, i) =>
    seen === should[i] ? [] : [`${seen ? "seen" : "hidden"}: ${text}`],
  );
}

describe.each([
  ["phone", phone],
  ["desk", desk],
] as const)("on a %s", (device, viewport) => {
  describe.each(["light", "dark"] as const)("in the %s theme", (colorScheme) => {
    test("nothing overflows, is cut off or faint, and nothing breaks the rules of accessibility", async () => {
      const page = await report({ viewport, colorScheme });
      await keepScreenshot(page, `${device}-${colorScheme}`);
      expect(await page.evaluate(sidewaysScroll)).toBe(0);
      await page.evaluate(unfold);
      await keepScreenshot(page, `${device}-${colorScheme}-unfolded`);
      expect(await page.evaluate(sidewaysScroll)).toBe(0);
      expect(await page.evaluate(cutTexts)).toEqual([]);
      expect(await page.evaluate(faintTexts)).toEqual([]);
      expect(await violations(page)).toEqual([]);
    });
  });
});

test("the checks of this file see what they look for", async () => {
  const page = await report();
  await page.evaluate(`document.querySelector("main").insertAdjacentHTML("beforeend", \`
    <p style="width: 40px; overflow: hidden; white-space: nowrap">cut off behind forty pixels</p>
    <svg width="50" height="20" role="img"><text x="30" y="15" style="fill: #eee">faint and cut</text></svg>
    <img src="data:," /><h6>out of order</h6><div style="width: 3000px">wide</div>\`)`);
  expect((await page.evaluate(cutTexts)).join()).toMatch(/cut off behind forty pixels.*faint and cut/);
  expect((await page.evaluate(faintTexts)).join()).toContain("faint and cut");
  expect(await page.evaluate(sidewaysScroll)).toBeGreaterThan(1000);
  expect(await page.evaluate(withoutWords)).toEqual(["", ""]);
  const found = (await violations(page)).join();
  for (const rule of ["image-alt", "svg-img-alt", "heading-order"]) expect(found).toContain(rule);
});

test("every image and chart is told in words, charts with numbers", async () => {
  const page = await report();
  await page.evaluate(unfold);
  expect(await page.locator("main img").count()).toBeGreaterThan(5);
  expect(await page.evaluate(withoutWords)).toEqual([]);
});

describe("filters", () => {
  test.each([
    [["csdm"], ["method/csdm"]],
    [
      ["random", "dm"],
      ["method/random", "method/dm"],
    ],
    [["mnist"], ["dataset/mnist"]],
    [
      ["cifar10", "dm"],
      ["dataset/cifar10", "method/dm"],
    ],
  ])("without %j, what is about it is gone, and all else is there", async (names, out) => {
    const page = await report();
    await page.evaluate(unfold);
    const before = await page.evaluate(marked);
    expect(before.filter(({ seen }) => seen).length).toBeGreaterThan(100);
    for (const name of names) await chip(page, name).uncheck();
    const after = await page.evaluate(marked);
    expect(wrongly(before, after, out)).toEqual([]);
    expect(after.filter(({ seen }) => seen).length).toBeLessThan(before.filter(({ seen }) => seen).length);
    await keepScreenshot(page, `without-${names.join("-")}`);
    for (const name of names) await chip(page, name).check();
    expect(wrongly(before, await page.evaluate(marked), [])).toEqual([]);
  });

  test("all at once are taken back by one button", async () => {
    const page = await report();
    const before = await page.evaluate(marked);
    for (const name of ["random", "dm", "csdm"]) await chip(page, name).uncheck();
    await page.getByRole("button", { name: "show all" }).click();
    expect(wrongly(before, await page.evaluate(marked), [])).toEqual([]);
    expect(await chip(page, "dm").isChecked()).toBe(true);
  });

  test("with every method out the title stays, and all comes back", async () => {
    const page = await report();
    for (const name of ["random", "dm", "csdm", "csdm + difficultyCorrection"])
      await chip(page, name).uncheck();
    expect(await page.locator("main h1").isVisible()).toBe(true);
    expect(await page.locator("main tr[data-method]:visible").count()).toBe(0);
    await page.getByRole("button", { name: "show all" }).click();
    expect(await page.locator("main tr[data-method]:visible").count()).toBeGreaterThan(10);
  });

  test("are in the address, so that a link shows the same", async () => {
    const page = await report();
    await chip(page, "csdm").uncheck();
    const link = page.url();
    const after = await page.evaluate(marked);
    await page.goto("about:blank");
    await page.goto(link);
    expect(await chip(page, "csdm").isChecked()).toBe(false);
    expect(await page.evaluate(marked)).toEqual(after);
  });

  test("are reached and switched by keyboard, with the focus to be seen", async () => {
    const page = await report();
    const passed: string[] = [];
    for (let presses = 0; presses < 40 && passed.at(-1) !== "dm"; presses++) {
      await page.keyboard.press("Tab");
      const { name, shown } = await page.evaluate(focused);
      passed.push(name);
      if (!shown) throw new Error(`nothing shows that ${name} has the focus`);
    }
    expect(passed.at(-1)).toBe("dm");
    await page.keyboard.press("Space");
    expect(await page.locator('main tr[data-method="dm"]:visible').count()).toBe(0);
  });
});

describe("the theme", () => {
  test.each([
    ["light", "dark"],
    ["dark", "light"],
  ] as const)("of a %s system can be switched to %s, and stays so", async (colorScheme, other) => {
    const page = await report({ colorScheme });
    const isDark = async (): Promise<boolean> => (await page.evaluate(background)) < 128;
    expect(await isDark()).toBe(colorScheme === "dark");
    await page.getByRole("radio", { name: `${other} theme` }).check({ force: true });
    expect(await isDark()).toBe(other === "dark");
    await page.reload();
    expect(await isDark()).toBe(other === "dark");
    await page.getByRole("radio", { name: "system theme" }).check({ force: true });
    expect(await isDark()).toBe(colorScheme === "dark");
  });
});

test("tables are sorted by a column, and the other way round", async () => {
  const page = await report();
  const sorter = page.getByRole("button", { name: "Accuracy, %" });
  const table = page.locator("main section#accuracy table", { has: sorter }).first();
  const accuracies = async (): Promise<number[]> =>
    (await table.locator("tbody tr td:nth-child(2)").allTextContents()).map(parseFloat);
  const ascending = (await accuracies()).sort((a, b) => a - b);
  expect(ascending.length).toBeGreaterThan(3);
  const heading = table.locator(sorter);
  await heading.click();
  expect(await accuracies()).toEqual([...ascending].reverse());
  await heading.click();
  expect(await accuracies()).toEqual(ascending);
  expect(await table.locator("th[aria-sort]").getAttribute("aria-sort")).toBe("ascending");
});

test("images are enlarged by a click or a key, and put away by Escape", async () => {
  const page = await report({ viewport: phone });
  const image = page.locator("main section#images button").first();
  const small = await image.locator("img").boundingBox();
  await image.focus();
  await page.keyboard.press("Enter");
  const large = page.locator("dialog img");
  expect((await large.boundingBox())!.width).toBeGreaterThan(small!.width);
  expect(await page.evaluate(sidewaysScroll)).toBe(0);
  await page.keyboard.press("Escape");
  expect(await page.locator("dialog").isVisible()).toBe(false);
});

test("without scripts the page is whole, and offers nothing that would need them", async () => {
  const page = await report({ javaScriptEnabled: false });
  for (const section of ["summary", "progress", "accuracy", "images", "classes", "failures"]) {
    expect(await page.locator(`section#${section}`).isVisible()).toBe(true);
  }
  expect(await page.locator("main tr[data-method]:visible").count()).toBeGreaterThan(10);
  expect(await page.locator("main img:visible").count()).toBeGreaterThan(5);
  expect(await page.getByRole("checkbox").count()).toBe(0);
  expect(await page.getByRole("radio").count()).toBe(0);
  await keepScreenshot(page, "without-scripts");
});

test("links of the bar lead to their sections", async () => {
  const page = await report();
  const links = page.locator("nav a");
  for (let i = 0; i < (await links.count()); i++) {
    const id = (await links.nth(i).getAttribute("href"))!.slice(1);
    await links.nth(i).click();
    await page.waitForFunction(isInView, id);
  }
});
