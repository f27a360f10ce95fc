import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import sharp from "sharp";
import { main } from "../../experiments/cli.ts";
import { generate, type GenerateOptions } from "../../experiments/commands/generate.ts";
import { optionLines } from "../../experiments/commands/options.ts";
import { loadData } from "../../experiments/data/load.ts";
import {
  type Generation,
  generationSchema,
  readGeneration,
  resolveGeneration,
} from "../../experiments/generation/options.ts";
import type { PoolRecord } from "../../experiments/generation/poolFolder.ts";
import { openForeign } from "../../experiments/judge/foreign.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { generatedPool } from "../../src/runs/generatedPool.ts";
import { toPixels } from "../../src/runs/space.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
const results = mkdtempSync(join(tmpdir(), "distillery-generate-"));
afterAll(() => {
  engine.close();
  rmSync(results, { recursive: true });
});

const write = jest.spyOn(process.stderr, "write");
beforeEach(() => {
  write.mockReturnValue(true);
});
afterEach(() => {
  write.mockReset();
  process.exitCode = undefined;
});
const errors = (): string => write.mock.calls.map(([text]) => String(text)).join("");

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 4, side: 8 },
  network: { name: "xs", width: 4, groups: 2, embedding: 8, blocks: 1, multipliers: [1, 2], attention: [4] },
  schedule: { times: 20 },
  training: { steps: 6, batchSize: 4, warmUp: 2 },
  minimax: { steps: 3, batchSize: 4 },
  sampling: { imagesPerClass: 4, steps: 4, batchSize: 3 },
  gates: { accuracy: 0, variance: 0, judge: { network: { name: "convNet", depth: 1, width: 4 }, epochs: 1 } },
};
const resolved = (name: string, ...overrides: string[]): Generation =>
  resolveGeneration(name, config, overrides);

async function made(generation: Generation, options: Partial<GenerateOptions> = {}) {
  const lines: string[] = [];
  const all = { results, plan: false, ungated: false, force: false, ...options };
  const pool = await generate(generation, engine, all, (line) => lines.push(line));
  return { pool, lines };
}
const recordOf = (name: string): PoolRecord =>
  JSON.parse(readFileSync(join(results, "pools", name, "pool.json"), "utf8")) as PoolRecord;
const prepared = (): string[] =>
  readdirSync(join(results, "prepared")).map((name) => name.replace(/-\w+$/, ""));
const timesOf = (kind: string): number[] =>
  readdirSync(join(results, "prepared"))
    .filter((name) => name.startsWith(`${kind}-`))
    .flatMap((name) =>
      readdirSync(join(results, "prepared", name)).map((file) => join(results, "prepared", name, file)),
    )
    .map((file) => statSync(file).mtimeMs);

test("a plan says what it takes and makes nothing", async () => {
  const { pool, lines } = await made(resolved("planned"), { plan: true });
  expect(pool).toBeUndefined();
  expect(lines).toEqual([
    expect.stringMatching(
      /^network: unet-w4-m1\.2-b1-a4, 0\.\d\d million parameters, .* G multiplications and additions an image$/,
    ),
    expect.stringMatching(/^training: 6 steps of 4 images of .* s each, about .* s; about .* of memory$/),
    expect.stringMatching(/^minimax: 3 steps of 4 images, about .* s$/),
    expect.stringMatching(/^judge: 1 epoch of convNet, about .* s$/),
    expect.stringMatching(
      /^sampling: 3 × 4 images in 4 steps, each seen with and without its class, about .* s$/,
    ),
  ]);
  expect(readdirSync(results)).toEqual([]);
});

describe("a pool", () => {
  test("is written with its images in two forms, a picture, and what it was made by", async () => {
    const { pool, lines } = await made(resolved("first"));
    expect(pool!.path).toBe(join(results, "pools", "first"));
    expect(readdirSync(pool!.path).sort()).toEqual([
      "data.safetensors",
      "images.png",
      "png",
      "pool.json",
      "real.png",
    ]);
    const { arrays, metadata } = readSafetensors(readFileSync(join(pool!.path, "data.safetensors")));
    expect(arrays.images_pixel!.shape).toEqual([12, 3, 8, 8]);
    const values = Array.from(arrays.images_pixel!.data, Number);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(1);
    expect(Array.from(arrays.labels!.data, Number)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(JSON.parse(metadata.classNames!)).toHaveLength(3);
    const { width, height } = await sharp(join(pool!.path, "images.png")).metadata();
    expect([width, height]).toEqual([4 * 66 - 2, 3 * 66 - 2]);
    const record = recordOf("first");
    expect(record).toMatchObject({
      ...{ name: "first", imagesPerClass: 4, passed: true, imageShape: [8, 8, 3] },
      options: { sampling: { guidance: 2, seed: 0 }, training: { steps: 6 } },
      models: [
        { folder: expect.stringMatching(/^diffusion-/) },
        { folder: expect.stringMatching(/^minimax-/) },
      ],
    });
    expect(record.gates.map(({ name, passed }) => [name, passed])).toEqual([
      ["accuracy", true],
      ["variance", true],
    ]);
    expect(Object.keys(record.seconds)).toEqual(["training", "minimax", "judge", "sampling"]);
    expect(lines.at(-2)).toMatch(
      /^✓ accuracy: .* % of the images taken for their class by the judge, at least 0\.0 % expected/,
    );
    expect(errors()).toMatch(/diffusion: done in .* s, 1 part\n(.*\n)*pool: done in .* s, 3 parts/);
  }, 60_000);

  test("is read as a set of the real classes, and so is its folder of PNGs", async () => {
    const { splits } = await loadData(resolved("first").data);
    const { train } = splits;
    const path = join(results, "pools", "first");
    const set = await openForeign(path).read(train);
    const { arrays } = readSafetensors(readFileSync(join(path, "data.safetensors")));
    expect(Array.from(set.labels)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    const pixels = toPixels(set.images, set, set.imageShape);
    // [n, c, h, w] in the file, [n, h, w, c] in the set
    for (const [i, c, p] of [
      [0, 0, 0],
      [5, 1, 17],
      [11, 2, 63],
    ] as const)
      expect(pixels[(64 * i + p) * 3 + c]).toBeCloseTo(
        Number(arrays.images_pixel!.data[(3 * i + c) * 64 + p]),
        5,
      );
    const eightBit = await openForeign(join(path, "png")).read(train);
    expect(Array.from(eightBit.labels)).toEqual(Array.from(set.labels));
    const read = toPixels(eightBit.images, eightBit, eightBit.imageShape);
    read.forEach((value, i) => expect(Math.abs(value - pixels[i]!)).toBeLessThan(0.5 / 255 + 1e-5));
  });

  test("made before is kept; another of its name is not replaced unasked", async () => {
    const file = join(results, "pools", "first", "pool.json");
    const before = statSync(file).mtimeMs;
    const { lines } = await made(resolved("first"));
    expect(lines).toEqual([`${join(results, "pools", "first")}: was made before; --force writes it again`]);
    expect(statSync(file).mtimeMs).toBe(before);
    await expect(made(resolved("first", "sampling.seed=1"))).rejects.toThrow(
      /first: expected no pool of other options; replace it with --force, or choose another name with --name/,
    );
  });

  test("with other sampling options shares the model, and has other images", async () => {
    const models = [timesOf("diffusion"), timesOf("minimax"), timesOf("pretrained")];
    await made(resolved("second", "sampling.seed=1"));
    expect([timesOf("diffusion"), timesOf("minimax"), timesOf("pretrained")]).toEqual(models);
    expect(prepared().filter((name) => name === "pool")).toHaveLength(2);
    const data = (name: string): Buffer => readFileSync(join(results, "pools", name, "data.safetensors"));
    expect(data("second").subarray(-500).equals(data("first").subarray(-500))).toBe(false);
    expect(recordOf("second").seconds).toMatchObject({ training: 0, minimax: 0, judge: 0 });
  }, 60_000);

  test("is the same again, and that which is made in memory", async () => {
    const other = mkdtempSync(join(tmpdir(), "distillery-generate-"));
    const generation = resolved("first");
    await made(generation, { results: other });
    const values = (root: string): number[] => {
      const file = readFileSync(join(root, "pools", "first", "data.safetensors"));
      return Array.from(readSafetensors(file).arrays.images_pixel!.data, Number);
    };
    expect(values(other)).toEqual(values(results));
    rmSync(other, { recursive: true });
    const { splits } = await loadData(generation.data);
    const { network, schedule, training, minimax, sampling } = generation;
    const told: string[] = [];
    const pool = generatedPool(splits.train, {
      ...{ engine, network, schedule, training, sampling },
      ...(minimax && { minimax }),
      onProgress: (stage, share) => told.push(`${stage} ${share}`),
    });
    const first = Array.from({ length: 64 }, (_, p) => pool.pixels[3 * p]!);
    expect(first).toEqual(values(results).slice(0, 64));
    expect(told).toContain("diffusion 1");
    expect(told.at(-1)).toBe("pool 1");
  }, 60_000);

  test("that fails its gates is not written, and says which, and what to do", async () => {
    const strict = resolved("strict", "gates.accuracy=1", "gates.variance=1000");
    const path = join(results, "pools", "strict");
    await expect(made(strict)).rejects.toThrow(
      /strict: the pool is not written\. accuracy: expected at least 100\.0 % of the images taken .*, got .* %; variance: expected at least 100000\.0 % .*, got .* %\. Train longer, which goes on from here \(training\.steps=12 training\.continues=6\), lower the guidance \(sampling\.guidance\), or write the pool as it is with --ungated.*The judge itself is right on .* % of the real test images/,
    );
    expect(existsSync(path)).toBe(false);
    const { lines } = await made(strict, { ungated: true });
    expect(lines.filter((line) => line.startsWith("✗"))).toHaveLength(2);
    expect(recordOf("strict").passed).toBe(false);
  }, 60_000);

  test("goes on where a longer training is asked for", async () => {
    await made(resolved("longer", "training.steps=8", "training.continues=6"));
    expect(recordOf("longer").options).toMatchObject({ training: { steps: 8 } });
    expect(prepared().filter((name) => name === "diffusion")).toHaveLength(2);
  }, 60_000);

  test("is not written over what is none", async () => {
    cpSync("configs/published", join(results, "pools", "taken"), { recursive: true });
    await expect(made(resolved("taken"), { force: true })).rejects.toThrow(
      /taken: expected an image pool, with pool\.json in it, or nothing, got something else; choose another --name/,
    );
  });
});

describe("what is wrong is said before anything is made", () => {
  test.each([
    [["training.stpes=3"], "x: training.stpes: unknown option; did you mean steps?"],
    [["sampling.steps=21"], "x: sampling.steps: expected at most the 20 times of the schedule, got 21"],
    [["network=xl"], 'x: network.name: unknown name "xl"; did you mean xs?'],
    [["gates.accuracy=80"], /gates\.accuracy.*got 80/],
    [["minimax.center=mean"], /minimax\.center.*none.*classMean.*encoder.*got "mean"/],
  ])("%s", (overrides, message) => {
    expect(() => resolved("x", ...overrides)).toThrow(message);
  });

  test.each([
    [["network.groups=3"], /expected at most 2 groups for a width of 4, got 3/],
    [["network.multipliers=[1,1,1,1,1]"], /expected images whose height and width divide by 16/],
    [["training.continues=6"], "training.continues: expected fewer than the 6 steps of the training, got 6"],
    [
      ["minimax.center=encoder", "minimax.encoder={network: {name: convNet, depth: 1, width: 4}, epochs: 1}"],
      /gates\.judge: expected another network than minimax\.encoder/,
    ],
  ])("%s", async (overrides, message) => {
    await expect(made(resolved("wrong", ...overrides))).rejects.toThrow(message);
    expect(existsSync(join(results, "pools", "wrong"))).toBe(false);
  });

  test("the command reads configs that come along, and names those there are", async () => {
    const out = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    await main(["generate", "generate-procedurl"]);
    expect(errors()).toMatch(/expected a config file, found none; did you mean generate-procedural\?/);
    out.mockRestore();
  });
});

test("every option of such a config is listed with its meaning", () => {
  const lines = optionLines(generationSchema);
  for (const option of [/^ {2}guidance = 2 +g of ε_u/, /^ {2}diversity = 0\.008 +λ_d/, /^ {2}judge +Network/])
    expect(lines).toContainEqual(expect.stringMatching(option));
  expect(lines.filter((line) => /^ *\w+( = \S+)? *$/.test(line))).toEqual([]);
});

test.each(readdirSync("configs").filter((file) => file.startsWith("generate-")))("%s is valid", (file) => {
  const { name, sampling } = readGeneration(join("configs", file));
  expect(name).toBe(file.replace(".yaml", ""));
  expect(sampling.imagesPerClass).toBeGreaterThan(1);
});
