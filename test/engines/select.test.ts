import { availableParallelism } from "node:os";
import { describe, expect, test } from "@jest/globals";
import { InputError } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { type EngineTable, selectFrom } from "../../src/engines/select.ts";
import { loadAddon } from "../../src/engines/torch/addon.ts";
import { probeTorch, torchEngine } from "../../src/engines/torch/index.ts";

const works = (name: string) => (): Engine => ({ name, description: `made of ${name}` }) as Engine;
const fails = (message: string) => (): never => {
  throw new InputError(message);
};

const table: EngineTable = {
  "fast-gpu": fails("no GPU"),
  "fast-cpu": fails("no library; run: npm run setup"),
  "plain-gpu": fails("no GPU"),
  "plain-cpu": works("plain-cpu"),
  "plain-wasm": works("plain-wasm"),
};

describe("selectFrom", () => {
  test("auto takes the first that works and says why no better one was taken", async () => {
    const { engine, reason } = await selectFrom(table, "auto");
    expect(engine.name).toBe("plain-cpu");
    expect(reason).toBe(
      "plain-cpu (made of plain-cpu); not fast-gpu, plain-gpu: no GPU; not fast-cpu: no library; run: npm run setup",
    );
  });

  test("the best one needs no excuse", async () => {
    expect((await selectFrom({ "fast-gpu": works("fast-gpu") }, "auto")).reason).toBe(
      "fast-gpu (made of fast-gpu)",
    );
  });

  test("a family or a whole name restricts the choice, and never falls back beyond it", async () => {
    expect((await selectFrom(table, "plain")).engine.name).toBe("plain-cpu");
    expect((await selectFrom(table, "plain-wasm")).engine.name).toBe("plain-wasm");
    await expect(selectFrom(table, "fast")).rejects.toThrow(
      "engine: expected fast to work here, but not fast-gpu: no GPU; not fast-cpu: no library; run: npm run setup",
    );
  });

  test("an unknown name is an error with the known ones", async () => {
    await expect(selectFrom(table, "plane")).rejects.toThrow(
      /expected one of auto, fast, .*did you mean plain\?/,
    );
  });

  test("an engine that breaks for another reason is not passed over", async () => {
    const broken: EngineTable = {
      "a-cpu": () => {
        throw new TypeError("a bug");
      },
      "b-cpu": works("b-cpu"),
    };
    await expect(selectFrom(broken, "auto")).rejects.toThrow(new TypeError("a bug"));
  });
});

describe("selectEngine", () => {
  test("refuses float64 where no engine of the name has it", async () => {
    await expect(selectEngine("tfjs-wasm", { dtype: "float64" })).rejects.toThrow(
      "engine: expected tfjs-wasm to work here, but not tfjs-wasm: TensorFlow.js engines compute in float32 only",
    );
  });

  test("gives the torch engine asked for, with its options", async () => {
    const { engine, reason } = await selectEngine("torch-cpu", { dtype: "float64", threads: 1 });
    expect(engine.dtype).toBe("float64");
    expect(reason).toMatch(/^torch-cpu \(libtorch \d+\.\d+\.\d+, CPU, 1 thread, \d+ GiB, float64\)$/);
  });

  test("asking what works here leaves the threads as they are", () => {
    const threads = availableParallelism() + 1;
    torchEngine({ threads });
    probeTorch();
    expect(loadAddon().threads()).toBe(threads);
  });

  const cuda = probeTorch().find(({ name }) => name === "torch-cuda")!;
  test("torch-cuda is taken where there is a GPU, and otherwise says what to do", async () => {
    if (cuda.available) expect((await selectEngine("torch-cuda")).engine.name).toBe("torch-cuda");
    else await expect(selectEngine("torch-cuda")).rejects.toThrow(cuda.detail);
  });
});
