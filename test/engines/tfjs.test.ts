import { describe, expect, test } from "@jest/globals";
import { probeTfjs, tfjsEngine } from "../../src/engines/tfjs/index.ts";

const found = await probeTfjs();
const backendOf = (name: string) => name.replace("tfjs-", "") as "node-gpu" | "node" | "wasm";

test("the probe knows all backends, fastest first, and says what each would run on or why not", () => {
  expect(found.map(({ name }) => name)).toEqual(["tfjs-node-gpu", "tfjs-node", "tfjs-wasm"]);
  for (const { available, detail } of found)
    expect(detail).toMatch(available ? /^TensorFlow\.js/ : /does not load/);
});

test("WebAssembly needs nothing installed", () => {
  expect(found.at(-1)).toMatchObject({ available: true, detail: expect.stringContaining("WebAssembly") });
});

describe.each(found)("$name", ({ name, available, detail }) => {
  test("is an engine exactly where the probe says so", async () => {
    const made = tfjsEngine({ backend: backendOf(name) });
    if (!available) {
      await expect(made).rejects.toMatchObject({ name: "InputError", message: detail });
      return;
    }
    const engine = await made;
    expect([engine.name, engine.description, engine.dtype]).toEqual([name, detail, "float32"]);
    engine.close();
  });
});

test("auto takes the first that works", async () => {
  const engine = await tfjsEngine();
  expect(engine.name).toBe(found.find(({ available }) => available)!.name);
  engine.close();
});

test("engines on one backend have tensors of their own, and closing one leaves the other open", async () => {
  const [a, b] = [await tfjsEngine(), await tfjsEngine()];
  const [x, y] = [a.fill([2], 1), b.fill([2], 2)];
  expect(() => x.add(y)).toThrow(/add: expected a tensor of .*, got one of another engine, tfjs/);
  a.close();
  a.close();
  expect([...y.add(1).values()]).toEqual([3, 3]);
  expect(() => x.add(1)).toThrow(/add: the tfjs-.* engine was closed/);
  b.close();
});

test("convolutions rounded to bfloat16 are refused", async () => {
  const engine = await tfjsEngine();
  expect(() => engine.noGrad(() => 0, "bf16")).toThrow(
    /noGrad: tfjs-\w+ convolves in float32 only, got bf16/,
  );
  engine.close();
});

test("memory that WebAssembly does not have is refused, and no other tensor is written over", async () => {
  const engine = await tfjsEngine({ backend: "wasm" });
  engine.scope(() => {
    const x = engine.tensor([2], [5, 6]);
    expect(() => engine.fill([2 ** 28, 5], 1)).toThrow(
      expect.objectContaining({ name: "InputError", message: expect.stringMatching(/^fill.* memory/) }),
    );
    expect([...x.add(1).values()]).toEqual([6, 7]);
  });
  engine.close();
});
