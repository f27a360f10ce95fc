import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { main } from "../../experiments/cli.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { makeExperts } from "../../experiments/commands/experts.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { sizeText } from "../../experiments/disk.ts";
import { selectEngine } from "../../src/engines/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const experiment = resolveExperiment("shared", {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 5 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4, networks: { name: "pretrained", models: 3, epochs: 1 } },
  tracking: { networks: { models: 2, epochs: 1 } },
  steps: 2,
});
const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-experts-"));

const write = jest.spyOn(process.stderr, "write");
beforeEach(() => {
  write.mockReturnValue(true);
});
afterEach(() => {
  write.mockReset();
  process.exitCode = undefined;
});
const errors = (): string => write.mock.calls.map(([text]) => String(text)).join("");

async function expertsIn(prepared: string, free?: number): Promise<string[]> {
  const lines: string[] = [];
  const options = { prepared, ...(free !== undefined && { free: () => free }) };
  await makeExperts(experiment, engine, options, (line) => lines.push(line));
  return lines;
}

test("what runs share is told, made and told again; runs then make none of it", async () => {
  const results = newFolder();
  const prepared = join(results, "prepared");
  const lines = await expertsIn(prepared);
  const [one, other] = readdirSync(prepared).map((name) => ({
    name,
    files: readdirSync(join(prepared, name)),
    size: readdirSync(join(prepared, name)).reduce(
      (sum, file) => sum + statSync(join(prepared, name, file)).size,
      0,
    ),
  }));
  const byParts = [one!, other!].sort((a, b) => b.files.length - a.files.length);
  expect(byParts.map(({ files }) => files.length)).toEqual([3, 2]);
  expect(lines).toEqual([
    `into ${prepared}:`,
    ...byParts.map(({ name, files }) =>
      expect.stringMatching(
        `^  ${name}  ${files.length} parts, \\d+ kB each, 0 there, ${files.length} to make$`,
      ),
    ),
    expect.stringMatching(/^disk: \d+ kB to write with checkpoints, .* GB free$/),
    ...byParts.map(({ name, files, size }) =>
      [join(prepared, name), `${files.length} parts, ${sizeText(size)}`].join("  "),
    ),
  ]);
  expect(errors()).toMatch(/pretrained: done in .* s, 3 parts\n(.*\n)*pretrained: done in .* s, 2 parts/);

  write.mockClear();
  await distillExperiment(experiment, engine, { results, force: false });
  expect(errors()).toMatch(/shared seed 0: done/);
  expect(errors()).not.toMatch(/pretrained/);
});

test("what is there is kept, what is damaged is made again, and neither needs more space than is open", async () => {
  const prepared = newFolder();
  await expertsIn(prepared);
  expect(await expertsIn(prepared, 0)).toEqual([
    `into ${prepared}:`,
    expect.stringMatching(/ {2}pretrained-\w+ {2}3 parts, all there/),
    expect.stringMatching(/ {2}pretrained-\w+ {2}2 parts, all there/),
    ...readdirSync(prepared).map(() => expect.stringMatching(/pretrained-\w+ {2}[23] parts, \d+ kB/)),
  ]);
  const folder = readdirSync(prepared).find((name) => readdirSync(join(prepared, name)).length === 3)!;
  truncateSync(join(prepared, folder, "part-0001.safetensors"), 99);
  await expect(expertsIn(prepared, 1000)).rejects.toThrow(/expected \d+ kB free for 1 part of pretrained/);
  rmSync(join(prepared, folder, "part-0002.safetensors"));
  expect((await expertsIn(prepared))[1]).toMatch(/3 parts, \d+ kB each, 1 there, 2 to make/);
});

test("neither it nor a run begins what does not fit on the disk", async () => {
  const prepared = join(newFolder(), "prepared");
  await expect(expertsIn(prepared, 10_000)).rejects.toThrow(
    /prepared: expected \d+ kB free for 3 parts of pretrained-\w+ and 2 parts of pretrained-\w+, got 10 kB; free \d+ kB more/,
  );
  expect(() => readdirSync(prepared)).toThrow("ENOENT");
});

test("of a method that prepares nothing it says so, and of a sweep who takes it", async () => {
  const out = jest.spyOn(process.stdout, "write").mockReturnValue(true);
  await main(["experts", "dm-mnist"]);
  await main(["experts", "random-cifar10-lt"]);
  const said = out.mock.calls.map(([text]) => String(text));
  out.mockRestore();
  expect(said).toEqual([
    "dm-mnist: nothing to make: its runs share nothing that is made beforehand (method dm)\n",
    "random-cifar10-lt: nothing to make: its runs share nothing that is made beforehand (initialization random)\n",
  ]);
  await main(["experts", "configs/sweeps/procedural-lt.yaml"]);
  expect(errors()).toBe(
    "configs/sweeps/procedural-lt.yaml: expected a config, got a sweep; " +
      "distillery sweep configs/sweeps/procedural-lt.yaml --phase prepare makes what its runs share\n",
  );
});
