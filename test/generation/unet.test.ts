import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { drawDropout } from "../../src/generation/dropout.ts";
import { sinusoids, unet, type UNet, type UNetChoice, unets } from "../../src/generation/unet.ts";
import { initialTensors } from "../../src/networks/index.ts";
import { expectClose } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";

const cifar = { imageShape: [32, 32, 3], classes: 10 } as const;
const parametersOf = ({ parameters }: UNet): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
const of = (name: UNetChoice["name"]): UNet => unet(unets[name].options.parse({}), cifar);

describe("sizes", () => {
  test.each([
    ["xs", 2.1, 0.43],
    ["s", 7.3, 1.61],
    ["ddpm", 35.5, 6.2],
  ] as const)("%s has %d million parameters and takes %d G products an image", (name, millions, giga) => {
    const net = of(name);
    expect(Math.round(parametersOf(net) / 1e5) / 10).toBe(millions);
    expect(Number((net.products / 1e9).toFixed(name === "ddpm" ? 1 : 2))).toBe(giga);
  });

  test("every parameter has a name of its own, and what ends a block begins at 0", () => {
    const { parameters } = of("s");
    expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
    const zero = parameters.filter(({ initial }) => "constant" in initial && initial.constant === 0);
    const names = zero.map(({ name }) => name);
    for (const name of [
      "down0.0.conv2.weight",
      "middle.attention.out.weight",
      "up2.0.conv2.weight",
      "out.weight",
    ])
      expect(names).toContain(name);
    expect(names).not.toContain("down0.0.conv1.weight");
  });

  test("attention is where it is asked for and in the middle", () => {
    const attended = of("s").parameters.flatMap(
      ({ name }) => name.match(/^(\w+).*attention\.qkv\.weight$/)?.[1] ?? [],
    );
    expect(attended).toEqual([
      ...["down1", "down1", "down2", "down2", "middle"],
      ...["up2", "up2", "up2", "up1", "up1", "up1"],
    ]);
  });
});

test("times are waves, cosines before sines, from one radian a step to 10⁻⁴ of it", () => {
  const [one, none] = [sinusoids([3], 8), sinusoids([0], 8)];
  expectClose(none, [1, 1, 1, 1, 0, 0, 0, 0], 0);
  const angles = [3, 0.3, 0.03, 0.003];
  expectClose(one, [...angles.map(Math.cos), ...angles.map(Math.sin)], 1e-14);
});

test("sizes that do not fit are said with what does", () => {
  const task = { imageShape: [28, 28, 1], classes: 10 } as const;
  expect(unet({}, task).name).toBe("unet-w64-m1.2.2-b2-a16.8");
  expect(() => unet({ multipliers: [1, 2, 2, 2] }, task)).toThrow(
    "unet.multipliers: expected images whose height and width divide by 8, as 4 levels halve them, got 28×28; use fewer levels",
  );
  expect(() => unet({ width: 8 }, task)).toThrow(
    "unet.groups: expected at most 4 groups for a width of 8, got 8",
  );
  expect(() => unet({ width: 20 }, task)).toThrow("expected channels that divide into 8 groups, got 20");
});

const small = { width: 8, groups: 4, embedding: 6, blocks: 1, multipliers: [1, 2], attention: [4] };
const task = { imageShape: [8, 8, 2], classes: 3 } as const;
const candidates = await engines();
const exact = exactEngine(candidates);

/** Parameters none of which is zero, so that all of them count. */
function livelyTensors(net: UNet, engine: Engine): Tensor[] {
  const rng = seeded(5);
  return net.parameters.map(({ name, shape, initial }) => {
    const values = rng.stream(name).fillUniform(new Float64Array(sizeOf(shape)), -1, 1);
    const around = "constant" in initial ? initial.constant : 0;
    return engine.tensor(
      shape,
      values.map((value) => around + 0.3 * value),
    );
  });
}

const imagesOn = (engine: Engine, n: number): Tensor =>
  engine.tensor([n, 8, 8, 2], seeded(1).fillNormal(new Float64Array(n * 128)));

describeEngines(candidates, (engine) => {
  const net = unet(small, task);

  test("a fresh network predicts no noise, and any other the same for images in any company", () => {
    engine.scope(() => {
      const images = imagesOn(engine, 3);
      const condition = { times: [0, 20, 49], labels: [0, 3, 2] };
      const fresh = net.noise(initialTensors(net.parameters, engine, seeded(0)), images, condition);
      expect(fresh.shape).toEqual([3, 8, 8, 2]);
      expect(fresh.values().every((value) => value === 0)).toBe(true);
      const lively = livelyTensors(net, engine);
      const all = net.noise(lively, images, condition).values();
      const second = net.noise(lively, images.slice([1, 0, 0, 0], [1, 8, 8, 2]), {
        times: [20],
        labels: [3],
      });
      expectClose(second.values(), all.slice(128, 256), engine.dtype === "float64" ? 1e-12 : 1e-4);
      expect(Math.max(...all.map(Math.abs))).toBeGreaterThan(0.1);
    });
  });

  test("time and class change what is seen", () => {
    engine.scope(() => {
      const images = imagesOn(engine, 1);
      const lively = livelyTensors(net, engine);
      const seen = (time: number, label: number): ArrayLike<number> =>
        net.noise(lively, images, { times: [time], labels: [label] }).values();
      const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
        Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
      expect(apart(seen(3, 1), seen(30, 1))).toBeGreaterThan(0.01);
      expect(apart(seen(3, 1), seen(3, 2))).toBeGreaterThan(0.01);
      expect(apart(seen(3, 1), seen(3, 3))).toBeGreaterThan(0.01);
    });
  });

  test("engines agree with the exact one", () => {
    if (!exact || engine === exact) return;
    const values = (on: Engine): ArrayLike<number> =>
      on.scope(() =>
        net.noise(livelyTensors(net, on), imagesOn(on, 2), { times: [4, 31], labels: [1, 3] }).values(),
      );
    expectClose(values(engine), values(exact), 1e-4);
  });
});

describe("gradient", () => {
  const test64 = exact ? test : test.skip;
  test64("in every parameter and in the images is that of central differences", () => {
    const engine = exact!;
    const shape = [2, 4, 4, 2];
    const net = unet(small, { ...task, imageShape: [4, 4, 2] });
    const random = (seed: number): Float64Array => seeded(seed).fillNormal(new Float64Array(sizeOf(shape)));
    const dropout = drawDropout(engine, { rate: 0.3, images: 2, sites: net.thinned }, seeded(2))!;
    const weights = engine.tensor(shape, random(9));
    const loss = (...[images, ...parameters]: Tensor[]): Tensor =>
      net
        .noise(parameters, images!, { times: [4, 31], labels: [1, 3] }, dropout)
        .mul(weights)
        .sum();
    const inputs = [engine.tensor(shape, random(1)), ...livelyTensors(net, engine)];
    const { gradients } = engine.gradients(loss, inputs);
    inputs.forEach((input, which) => {
      const values = Float64Array.from(input.values());
      // Along one direction through all elements of each tensor: an error in any element shows.
      const direction = seeded(3).stream(String(which)).fillNormal(new Float64Array(values.length));
      const at = (h: number): number =>
        engine.scope(() => {
          const moved = engine.tensor(
            input.shape,
            values.map((value, i) => value + h * direction[i]!),
          );
          return loss(...inputs.map((one, i) => (i === which ? moved : one))).item();
        });
      const h = 1e-5;
      const found = gradients[which]!.values();
      const slope = direction.reduce((sum, along, i) => sum + found[i]! * along, 0);
      const difference = (at(h) - at(-h)) / (2 * h);
      expect(Math.abs(slope - difference) / Math.max(1, Math.abs(difference))).toBeLessThan(1e-7);
    });
  });
});

describe("dropout", () => {
  const engine = (exact ?? candidates.find((one) => one.engine)!.engine)!;
  const sites = [[16, 16, 4]];

  test("drops the asked share of each image's elements, others in each, and keeps the mean", () => {
    const drop = drawDropout(engine, { rate: 0.25, images: 40, sites }, seeded(4))!;
    const kept = engine.scope(() => drop(engine.fill([40, 16, 16, 4], 1), 0).values());
    const rows = Array.from({ length: 40 }, (_, i) => Array.from(kept.slice(1024 * i, 1024 * (i + 1))));
    for (const row of rows) {
      const dropped = row.filter((value) => value === 0).length / 1024;
      expect(Math.abs(dropped - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 1024));
      expect(row.every((value) => value === 0 || Math.abs(value - 1 / 0.75) < 1e-6)).toBe(true);
    }
    // Independent masks agree on both in 0.0625 of the places; those of all pairs of images on average, too.
    const zero = rows.map((row) => row.map((value) => Number(value === 0)));
    let both = 0;
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < i; j++)
        both += zero[i]!.reduce((sum, one, place) => sum + one * zero[j]![place]!, 0);
    }
    expect(Math.abs(both / (780 * 1024) - 0.0625)).toBeLessThan(0.02);
  });

  test("is the same for the same dice, and nothing at rate 0", () => {
    const values = (): ArrayLike<number> =>
      engine.scope(() =>
        drawDropout(engine, { rate: 0.5, images: 2, sites }, seeded(6))!(
          engine.fill([2, 16, 16, 4], 1),
          0,
        ).values(),
      );
    expect(values()).toEqual(values());
    expect(drawDropout(engine, { rate: 0, images: 2, sites }, seeded(6))).toBeUndefined();
  });
});
