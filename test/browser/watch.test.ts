import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Browser, Locator, Page } from "playwright-core";
import type { Report } from "../../src/distillers/distill.ts";
import { writeWhole } from "../../experiments/files.ts";
import { recordRow } from "../../experiments/gather.ts";
import { appendMetric, fileOf, type RunFolder } from "../../experiments/runFolder.ts";
import type { Row } from "../../experiments/results.ts";
import type { RunRecord } from "../../experiments/report/data.ts";
import { richRuns } from "../experiments/richRows.ts";
import { row } from "../experiments/rows.ts";
import { desk, keepScreenshot, launched, type Opened, opened, phone, violations } from "./browser.ts";
import { cutTexts, hasNewPicture, sidewaysScroll } from "./inPage.mjs";
import { gridOf, newResults, writeRun } from "./studyFolder.ts";

let browser: Browser;
let results: string;
let server: ChildProcess;
let watched: Opened;

beforeAll(async () => {
  browser = await launched();
});
afterAll(() => browser.close());

beforeEach(async () => {
  results = newResults();
  const command = ["experiments/distillery.mjs", "watch", results, "--port", "0"];
  server = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  server.stdout!.on("data", (chunk) => (output += String(chunk)));
  while (!output.includes("Ctrl-C")) await once(server.stdout!, "data");
  watched = await opened(browser, /http:\S+/.exec(output)![0], { viewport: desk });
});

afterEach(async () => {
  await watched.close();
  await stopped();
  rmSync(results, { recursive: true });
});

/** Ends the server as Ctrl-C does, and tells its exit code. */
async function stopped(): Promise<number | null> {
  if (server.exitCode !== null) return server.exitCode;
  server.kill("SIGINT");
  await once(server, "exit");
  return server.exitCode;
}

const study = new Map(richRuns().map((run) => [`${run.experiment}/${run.seed}`, run]));

/** A run of the study at its first steps. */
function underWay(name: string, steps: number): Promise<RunFolder> {
  const record: RunRecord = study.get(`${name}/0`)!;
  return writeRun(results, { ...record, metrics: record.metrics.slice(0, steps) }, "going");
}

function addSteps(run: RunFolder, from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    const report = { progress: { step }, loss: 2 / step, gradientNorm: 1, metrics: {} };
    appendMetric(run, report as unknown as Report);
  }
}

/** A finished network of a run. */
function addNetwork(run: RunFolder, change: Partial<Row>): void {
  const { name, data, imagesPerClass } = run.experiment;
  const setting = { dataset: data.name, imbalance: data.imbalance, imagesPerClass };
  recordRow(run, row({ experiment: name, ...setting, distillSeed: run.seed, ...change }));
}

const card = (page: Page, experiment: string): Locator => page.locator(".card.run", { hasText: experiment });
const accuracies = (page: Page): Locator => page.locator("section#accuracy tbody tr:visible");
/** Time for a page to be made again, on a machine that has other work too. */
const soon = { timeout: 20_000 };

test("an open page gets steps, images and networks as they come, and the reader stays where they are", async () => {
  const { page, troubles } = watched;
  await page.getByText("Waiting for the first run").waitFor();
  const dm = await underWay("dm-lt100-ipc10", 50);
  const csdm = await underWay("csdm-lt100-ipc10", 30);
  await card(page, "dm-lt100-ipc10").first().getByText("step 50").waitFor(soon);
  await keepScreenshot(page, "watch-first-steps");
  addNetwork(dm, { objective: "dm", accuracy: 0.4123 });
  addNetwork(csdm, { objective: "csdm", accuracy: 0.4567 });
  await accuracies(page).getByText("41.2").waitFor(soon);

  // What the reader has set: a filter, a table sorted, the place on the page.
  await page.getByRole("checkbox", { name: "csdm", exact: true }).uncheck();
  await accuracies(page)
    .getByText("45.7")
    .waitFor({ ...soon, state: "hidden" });
  await page.setViewportSize({ ...desk, height: 500 });
  await page.locator("section#accuracy h2").scrollIntoViewIfNeeded();
  const place = async (): Promise<number> => (await page.locator("section#accuracy h2").boundingBox())!.y;
  const before = await place();
  const first = await page.locator("main img").last().getAttribute("src");

  addSteps(dm, 51, 64);
  await card(page, "dm-lt100-ipc10")
    .getByText("step 64")
    .waitFor({ ...soon, state: "attached" });
  writeWhole(fileOf(dm, "images"), await gridOf(0.2));
  writeWhole(fileOf(csdm, "images"), await gridOf(0.2));
  await page.waitForFunction(hasNewPicture, first!, soon);
  addNetwork(dm, { objective: "dm", accuracy: 0.4321, evaluationSeed: 1 });
  await accuracies(page).getByText("42.2").waitFor(soon); // the mean of both

  expect(await page.getByRole("checkbox", { name: "csdm", exact: true }).isChecked()).toBe(false);
  expect(await page.locator('main [data-method="csdm"]:visible').count()).toBe(0);
  expect(Math.abs((await place()) - before)).toBeLessThan(3);
  expect(troubles).toEqual([]);
  await keepScreenshot(page, "watch-later");
}, 120_000);

test("the page is as sound as the report: on a phone, in both themes, with a run under way", async () => {
  const { page, troubles } = watched;
  await underWay("dm-lt100-ipc10", 50);
  await page.setViewportSize(phone);
  await card(page, "dm-lt100-ipc10").waitFor(soon);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate(sidewaysScroll)).toBe(0);
    expect(await page.evaluate(cutTexts)).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await keepScreenshot(page, `watch-phone-${colorScheme}`);
  }
  expect(troubles).toEqual([]);
}, 120_000);

test("once the server is gone the page says so, and keeps what it shows", async () => {
  const { page, troubles } = watched;
  await underWay("dm-lt100-ipc10", 50);
  await card(page, "dm-lt100-ipc10").waitFor(soon);
  expect(troubles).toEqual([]);
  expect(await stopped()).toBe(0);
  await page.getByText("no answer").waitFor(soon);
  expect(await card(page, "dm-lt100-ipc10").isVisible()).toBe(true);
}, 120_000);
