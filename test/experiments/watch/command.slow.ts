import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { setTimeout as wait } from "node:timers/promises";
import { watchResults } from "../../../experiments/commands/watch.ts";
import { resolveExperiment } from "../../../experiments/config.ts";
import { recordRow, rowsFile } from "../../../experiments/gather.ts";
import { fileOf, prepareRun, type RunFolder } from "../../../experiments/runFolder.ts";
import { row } from "../rows.ts";

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "distillery-watch-"));
});
afterEach(() => {
  rmSync(results, { recursive: true, force: true });
});

/** A run under way that has done so many steps. */
function newRun(experiment: string, steps: number): RunFolder {
  const config = { data: "procedural", objective: "dm", steps: 100 };
  const path = join(results, "runs", experiment, "seed-0");
  const run = { path, experiment: resolveExperiment(experiment, config), seed: 0 };
  prepareRun(run, false);
  for (let step = 1; step <= steps; step++) addStep(run, step);
  return run;
}

function addStep(run: RunFolder, step: number): void {
  appendFileSync(fileOf(run, "metrics"), `${JSON.stringify({ step, loss: 1 / step, gradientNorm: 1 })}\n`);
}

test("the page follows: nothing, a run's steps, a finished network, a failure", async () => {
  const watching = await watchResults(results, { port: 0 });
  const { url } = watching;
  const page = async (): Promise<string> => await (await fetch(url)).text();
  /** Waits for what the page is to show: a slow machine makes it seldom. */
  const shows = async (what: RegExp): Promise<void> => {
    for (let look = 0; look < 100 && !what.test(await page()); look++) await wait(200);
    expect((await page()).replace(/<style.*?<\/style>|<script.*?<\/script>/gs, "")).toMatch(what);
  };
  try {
    await shows(/Waiting for the first run/);
    const run = newRun("going", 7);
    await shows(/<b>step 7<\/b> of\s+100, loss 0.1429/);
    addStep(run, 8);
    await shows(/<b>step 8<\/b> of\s+100, loss 0.125/);
    recordRow(run, row({ experiment: "going", accuracy: 0.4321 }));
    await shows(/43\.2/);
    const error = { evaluationSeed: -1, accuracy: NaN, classAccuracies: [], status: "no room left" };
    recordRow(newRun("broken", 1), row({ experiment: "broken", ...error }));
    await shows(/no room left/);
    // Wrong at once and for good: the page stays, and says why it is not the newest.
    writeFileSync(rowsFile(results), "experiment,accuracy\nx,0.5\n");
    const noticed = async (): Promise<string> =>
      ((await (await fetch(`${url}version`)).json()) as { notice?: string }).notice ?? "";
    for (let look = 0; look < 100 && (await noticed()) === ""; look++) await wait(200);
    expect(await noticed()).toMatch(/line 2: expected the columns experiment/);
    await shows(/43\.2/);
  } finally {
    await watching.close();
  }
}, 30_000);

test("whatever comes, goes or is half there while it is read, there is a page", async () => {
  const watching = await watchResults(results, { port: 0 });
  const { url } = watching;
  let over = false;
  const meddling = (async () => {
    for (let round = 0; !over; round++) {
      const run = newRun(`run-${round % 3}`, 3);
      writeFileSync(fileOf(run, "images"), "half a png");
      appendFileSync(fileOf(run, "metrics"), '{"step": 4, "lo');
      await wait(1);
      if (round % 2 === 0) rmSync(run.path, { recursive: true, force: true });
      if (round % 5 === 0) rmSync(join(results, "runs"), { recursive: true, force: true });
      await wait(1);
    }
  })();
  try {
    for (let look = 0; look < 12; look++) {
      const answer = await fetch(url);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toMatch(/<main.*<\/main>/s);
      await wait(250);
    }
  } finally {
    over = true;
    await meddling;
    await watching.close();
  }
}, 30_000);

test("a file is no results folder", async () => {
  const file = join(results, "runs.csv");
  writeFileSync(file, "");
  await expect(watchResults(file)).rejects.toThrow(`${file}: expected a results folder, got a file`);
});

test("the command says where the page is, and Ctrl-C ends it", async () => {
  const command = ["experiments/distillery.mjs", "watch", join(results, "later"), "--port", "0"];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  while (!output.includes("Ctrl-C")) await once(child.stdout, "data");
  const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(output)!;
  expect(output).toContain("later, which is not there yet, can be watched at http://127.0.0.1:");
  expect(await (await fetch(url)).text()).toContain("Waiting for the first run");
  child.kill("SIGINT");
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(0);
}, 30_000);

test("a port that is none is refused in one line", async () => {
  const child = spawn(process.execPath, ["experiments/distillery.mjs", "watch", results, "--port=65536"]);
  let complaint = "";
  child.stderr.on("data", (chunk) => (complaint += String(chunk)));
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(1);
  expect(complaint).toMatch(/^--port: expected a whole number from 0 .* to 65535, got 65536\n$/);
}, 30_000);
