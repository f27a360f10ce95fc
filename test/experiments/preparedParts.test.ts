import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, jest, test } from "@jest/globals";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { acquire } from "../../experiments/lock.ts";
import {
  checkParts,
  hasAllParts,
  hasPart,
  makePart,
  prepare,
  type Prepared,
  preparedFor,
} from "../../experiments/preparation.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import type { Preparation } from "../../src/objectives/objective.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import { smallPreparation } from "../support/smallPreparations.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const experiment = resolveExperiment("tiny", {
  data: { name: "procedural", classes: 2, trainPerClass: 6, testPerClass: 2 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: "dm",
  steps: 1,
});
const { splits } = await loadData(experiment.data);
const source = sourceOf(experiment, splits, engine);
const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-parts-"));
const keptIn = (root: string, preparation: Preparation): Prepared =>
  preparedFor(root, experiment, preparation);
const fileOf = ({ path }: Prepared, index: number): string => join(path, `part-000${index}.safetensors`);
const checkpointFile = (prepared: Prepared, index: number): string =>
  fileOf(prepared, index).replace("safetensors", "checkpoint");

const write = jest.spyOn(process.stderr, "write").mockReturnValue(true);
/** Lines on standard error, but for those of progress. */
const said = (): string[] =>
  write.mock.calls.map(([text]) => String(text).trimEnd()).filter((line) => line.startsWith(tmpdir()));
afterEach(() => {
  write.mockClear();
});

/** A process of `prepareParts.ts`. */
function preparing(...given: readonly string[]): ChildProcess {
  const module = join(process.cwd(), "test/support/prepareParts.ts");
  return spawn(process.execPath, ["--import", "tsx", module, ...given], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** A preparation whose three parts are made, and a log of parts that are begun from now on. */
async function made(): Promise<{ readonly prepared: Prepared; readonly begun: () => string[] }> {
  const root = newFolder();
  const log = join(root, "log");
  const prepared = keptIn(root, smallPreparation({ log }));
  await prepare([prepared], source);
  rmSync(log);
  write.mockClear();
  return { prepared, begun: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []) };
}

function flipped(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[(at + bytes.length) % bytes.length]! ^= 1;
  writeFileSync(path, bytes);
}

const damages: Record<string, readonly [fault: RegExp, damage: (prepared: Prepared) => void]> = {
  "a byte of its data flipped": [
    /does not fit its checksum/,
    (prepared) => {
      flipped(fileOf(prepared, 1), -3);
    },
  ],
  "a digit of its checksum flipped": [
    /does not fit its checksum/,
    (prepared) => {
      flipped(fileOf(prepared, 1), readFileSync(fileOf(prepared, 1)).indexOf('"sha256":"') + 20);
    },
  ],
  "its end cut off": [
    /is cut short: \d+ bytes instead of \d+/,
    (prepared) => {
      truncateSync(fileOf(prepared, 1), readFileSync(fileOf(prepared, 1)).length - 1);
    },
  ],
  "all but its first bytes cut off": [
    /is cut short, or no safetensors file/,
    (prepared) => {
      truncateSync(fileOf(prepared, 1), 30);
    },
  ],
  "fewer bytes than a header's length": [
    /is cut short, or no safetensors file/,
    (prepared) => {
      truncateSync(fileOf(prepared, 1), 5);
    },
  ],
  "more bytes than it was written with": [
    /is too long: \d+ bytes instead of \d+/,
    (prepared) => {
      writeFileSync(fileOf(prepared, 1), "more", { flag: "a" });
    },
  ],
  "no bytes": [
    /is empty/,
    (prepared) => {
      writeFileSync(fileOf(prepared, 1), "");
    },
  ],
  "no checksum": [
    /has no checksum, as files of earlier versions/,
    (prepared) => {
      const arrays = { index: { shape: [1], data: Float32Array.of(1) } };
      writeFileSync(fileOf(prepared, 1), writeSafetensors(arrays, { preparation: "small", part: "1" }));
    },
  ],
  "another part in its place": [
    /is of another origin: part 2, not 1/,
    (prepared) => {
      writeFileSync(fileOf(prepared, 1), readFileSync(fileOf(prepared, 2)));
    },
  ],
};

describe.each(Object.entries(damages))("a part with %s", (_, [fault, damage]) => {
  test("is said in one line and made again to the same bytes when a run begins", async () => {
    const { prepared, begun } = await made();
    const bytes = readFileSync(fileOf(prepared, 1));
    damage(prepared);
    const ready = await prepare([prepared], source);
    expect(said()).toHaveLength(1);
    expect(said()[0]).toMatch(fault);
    expect(said()[0]!.startsWith(`${fileOf(prepared, 1)}: `)).toBe(true);
    expect(said()[0]).toMatch(/; it is made again$/);
    expect(begun()).toEqual(["small 1"]);
    expect(readFileSync(fileOf(prepared, 1))).toEqual(bytes);
    expect(ready.prepared!(prepared.preparation, 1).index!.data[0]).toBe(1);
  });

  test("does not count as there once parts were checked", async () => {
    const { prepared } = await made();
    damage(prepared);
    await checkParts([prepared]);
    expect(said()).toHaveLength(1);
    expect([0, 1, 2].map((index) => hasPart(prepared, index))).toEqual([true, false, true]);
    expect(hasAllParts(prepared)).toBe(false);
  });
});

test("a part of another preparation is not taken for one's own", async () => {
  const { prepared } = await made();
  const other = keptIn(newFolder(), smallPreparation({ reports: 1 }));
  mkdirSync(other.path, { recursive: true });
  writeFileSync(fileOf(other, 0), readFileSync(fileOf(prepared, 0)));
  expect(hasPart(other, 0)).toBe(false);
  expect(await makePart(other, source, 0)).toBe(true);
  expect(said()).toEqual([
    `${fileOf(other, 0)}: is of another origin: preparation ${prepared.name}, not ${other.name}; it is made again`,
  ]);
});

test("a part that is damaged while a run reads it is not used", async () => {
  const { prepared } = await made();
  const ready = await prepare([prepared], source);
  flipped(fileOf(prepared, 2), -1);
  expect(() => ready.prepared!(prepared.preparation, 2)).toThrow(
    `${fileOf(prepared, 2)}: does not fit its checksum; start the same command again`,
  );
  rmSync(fileOf(prepared, 0));
  expect(() => ready.prepared!(prepared.preparation, 0)).toThrow(/was removed while it was in use/);
});

test("a damaged part that another process is making again is left to it", async () => {
  const { prepared } = await made();
  flipped(fileOf(prepared, 1), -1);
  const lock = acquire(`${fileOf(prepared, 1)}.lock`)!;
  await checkParts([prepared]);
  expect(await makePart(prepared, source, 1)).toBe(false);
  expect(said()).toEqual([]);
  lock.release();
  expect(await makePart(prepared, source, 1)).toBe(true);
});

test("what a killed process has left of writing a part is removed, that of its neighbors is not", async () => {
  const prepared = keptIn(newFolder(), smallPreparation());
  mkdirSync(prepared.path, { recursive: true });
  const left = (index: number): string => `${fileOf(prepared, index)}.node7.123.partial`;
  for (const index of [0, 1]) writeFileSync(left(index), "half of i");
  await makePart(prepared, source, 1);
  expect(readdirSync(prepared.path).sort()).toEqual([
    "part-0000.safetensors.node7.123.partial",
    "part-0001.safetensors",
  ]);
});

describe("a part that was cut off after its third report of five", () => {
  const cutOff = async (): Promise<Prepared> => {
    const root = newFolder();
    const failing = keptIn(root, smallPreparation({ reports: 5, failsAfter: 3 }));
    await expect(makePart(failing, source, 0)).rejects.toThrow("power failure");
    // Checkpoints are seldom; the first is always there.
    expect(existsSync(checkpointFile(failing, 0))).toBe(true);
    return keptIn(root, smallPreparation({ reports: 5 }));
  };
  const begunAt = ({ preparation }: Prepared, ready: typeof source): number =>
    Number(ready.prepared!(preparation, 0).begunAt!.data[0]);

  test("goes on from there", async () => {
    const prepared = await cutOff();
    expect(begunAt(prepared, await prepare([prepared], source))).toBeGreaterThanOrEqual(1);
    expect(said()).toEqual([]);
  });

  test.each([
    ["flipped", /does not fit its checksum/, (path: string) => flipped(path, -1)],
    ["cut short", /is cut short/, (path: string) => truncateSync(path, 100)],
    ["empty", /is empty/, (path: string) => writeFileSync(path, "")],
  ])("begins anew and says so where its checkpoint is %s", async (_, fault, damage) => {
    const prepared = await cutOff();
    damage(checkpointFile(prepared, 0));
    expect(begunAt(prepared, await prepare([prepared], source))).toBe(0);
    expect(said()).toHaveLength(1);
    expect(said()[0]).toMatch(fault);
    expect(said()[0]).toMatch(/part-0000\.checkpoint: .*; the part begins anew$/);
    expect(existsSync(checkpointFile(prepared, 0))).toBe(false);
  });
});

describe("what a preparation needs", () => {
  const networks = smallPreparation({ name: "networks" });
  const heads = smallPreparation({ name: "heads", needs: [networks] });

  test("is made before it, part by part, and its part of the same number is there to read", async () => {
    const root = newFolder();
    const log = join(root, "log");
    const needed = smallPreparation({ name: "networks", log });
    const prepared = keptIn(root, smallPreparation({ name: "heads", needs: [needed], log }));
    expect(await makePart(prepared, source, 2)).toBe(true);
    expect(readFileSync(log, "utf8")).toBe("networks 2\nheads 2\n");
    const ready = await prepare([prepared], source);
    for (const index of [0, 1, 2]) {
      expect(ready.prepared!(prepared.preparation, index)["of networks"]).toEqual(
        ready.prepared!(needed, index).dice,
      );
    }
    expect(readFileSync(log, "utf8").trim().split("\n").sort()).toEqual(
      ["heads", "networks"].flatMap((name) => [0, 1, 2].map((index) => `${name} ${index}`)),
    );
  });

  test("is not waited for with a lock in hand, so that nobody waits for each other", async () => {
    const prepared = keptIn(newFolder(), heads);
    const [need] = prepared.needs;
    mkdirSync(need!.path, { recursive: true });
    const lock = acquire(`${fileOf(need!, 0)}.lock`)!;
    expect(await makePart(prepared, source, 0)).toBe(false);
    expect(existsSync(prepared.path)).toBe(false);
    lock.release();
    expect(await makePart(prepared, source, 0)).toBe(true);
  });

  test("gives it another folder where it differs", () => {
    const root = newFolder();
    const others = [
      smallPreparation({ name: "heads" }),
      smallPreparation({ name: "heads", needs: [smallPreparation({ name: "networks", reports: 9 })] }),
    ];
    const names = [heads, ...others].map((preparation) => keptIn(root, preparation).name);
    expect(new Set(names).size).toBe(3);
  });

  test("is made once by two processes that begin at once, whose parts are the same", async () => {
    const root = newFolder();
    const log = join(root, "log");
    writeFileSync(log, "");
    const children = [0, 1].map(() => preparing(root, log));
    const ended = children.map((child) => once(child, "close"));
    await Promise.all(children.map((child) => once(child.stdout!, "data"))); // both have read the data
    for (const child of children) child.stdin!.end("go\n");
    expect((await Promise.all(ended)).map(([code]) => code as number)).toEqual([0, 0]);
    const begun = readFileSync(log, "utf8").trim().split("\n").sort();
    expect(begun).toEqual(["heads", "networks"].flatMap((name) => [0, 1, 2, 3].map((i) => `${name} ${i}`)));
  });
});

test("a part whose process was killed is taken over at once, from its checkpoint", async () => {
  const root = newFolder();
  const log = join(root, "log");
  const child = preparing(root, log, "1");
  const ended = once(child, "close");
  child.stdin!.end("go\n");
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(readFileSync(log, "utf8")).toBe("networks 0\n");
  const networks = smallPreparation({ name: "networks", parts: 4 });
  const prepared = keptIn(root, networks);
  expect(readdirSync(prepared.path).sort()).toEqual(["part-0000.checkpoint", "part-0000.safetensors.lock"]);
  const ready = await prepare([prepared], source);
  expect([0, 1].map((index) => ready.prepared!(networks, index).begunAt!.data[0])).toEqual([1, 0]);
  expect(readdirSync(prepared.path)).toEqual([0, 1, 2, 3].map((i) => `part-000${i}.safetensors`));
});

test("one with more parts finds those that another with fewer has made", async () => {
  const root = newFolder();
  const log = join(root, "log");
  await prepare([keptIn(root, smallPreparation({ parts: 2, log }))], source);
  const [two, four] = [2, 4].map((parts) => keptIn(root, smallPreparation({ parts, log })));
  expect(four!.path).toBe(two!.path);
  await prepare([four!, two!], source);
  expect(readFileSync(log, "utf8").trim().split("\n")).toEqual([0, 1, 2, 3].map((i) => `small ${i}`));
  expect(hasAllParts(four!)).toBe(true);
});

describe("a disk without enough space", () => {
  const large = smallPreparation({ name: "large", bytes: 65e6, parts: 3 });

  test("is told before anything is made, with what is missing", async () => {
    const root = newFolder();
    const prepared = keptIn(root, large);
    await expect(prepare([prepared], source, () => 200e6)).rejects.toThrow(
      `${root}: expected 325 MB free for 3 parts of ${prepared.name}, got 200 MB; free 125 MB more`,
    );
    expect(existsSync(prepared.path)).toBe(false);
    await prepare([prepared], source, () => 325e6);
  });

  test("is enough where the parts are there", async () => {
    const prepared = keptIn(newFolder(), large);
    await prepare([prepared], source);
    await prepare([prepared], source, () => 0);
  });

  test("counts what is needed as well", async () => {
    const prepared = keptIn(newFolder(), smallPreparation({ name: "heads", needs: [large], bytes: 1e6 }));
    await expect(prepare([prepared], source, () => 0)).rejects.toThrow(
      /expected 328 MB free for 3 parts of large-\w+ and 3 parts of heads-\w+, got 0 kB/,
    );
  });
});
