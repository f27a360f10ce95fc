import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { alphaBars, noised, predictedImages, respaced } from "../../src/generation/schedule.ts";
import { denoised, guidedNoise, spreadOf } from "../../src/generation/sampler.ts";
import type { UNet } from "../../src/generation/unet.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { expectClose, tolerance } from "../support/close.ts";
import { describeEngines, engines } from "../support/engines.ts";

interface Reference {
  readonly diffusion: {
    readonly linear_alpha_bar: Readonly<Record<string, number>>;
    readonly cosine_alpha_bar: Readonly<Record<string, number>>;
    readonly respaced_50_of_1000: readonly number[];
    readonly x0_pred_case: Readonly<
      Record<"x_t_first3" | "x0_hat_first3" | "ddim_eta0_to_t100_first3", number[]>
    >;
  };
}
const { diffusion } = JSON.parse(
  readFileSync("test/reference/sampling-generation.json", "utf8"),
) as Reference;

describe("schedules", () => {
  test.each(["linear", "cosine"] as const)("%s: ᾱ as published", (law) => {
    const bars = alphaBars({ law, times: 1000 });
    for (const [time, bar] of Object.entries(diffusion[`${law}_alpha_bar`]))
      expect(bars[Number(time)]! / bar).toBeCloseTo(1, 10);
  });

  test.each(["linear", "cosine"] as const)(
    "%s: ᾱ falls within (0, 1) and ends near 0, however few the times",
    (law) => {
      for (const times of [2, 10, 50, 1000]) {
        const bars = alphaBars({ law, times });
        expect(bars).toHaveLength(times);
        bars.forEach((bar, t) => {
          expect(bar).toBeGreaterThan(0);
          expect(bar).toBeLessThan(t === 0 ? 1 : bars[t - 1]!);
        });
        expect(bars[times - 1]).toBeLessThan(0.01);
      }
    },
  );

  test("fewer steps go through times evenly, from the first to the last", () => {
    expect(Array.from(respaced(1000, 50))).toEqual(diffusion.respaced_50_of_1000);
    expect(Array.from(respaced(7, 7))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(Array.from(respaced(10, 1))).toEqual([9]);
  });
});

/** x, ε and ε̂ of the reference, as one image of twelve values. */
const wave = (f: (i: number) => number): number[] => Array.from({ length: 12 }, (_, i) => f(i));
const clean = wave((i) => Math.sin(0.3 * i));
const noise = wave((i) => Math.cos(0.7 * i));
const seen = wave((i) => noise[i]! + 0.1 * Math.sin(1.1 * i));
const linear = alphaBars({ law: "linear", times: 1000 });
const candidates = await engines();

describeEngines(candidates, (engine) => {
  const image = (values: readonly number[]): Tensor => engine.tensor([1, 2, 2, 3], values);
  const bound = tolerance(engine.dtype) * 10; // x̂ divides by √ᾱ = 0.16
  const at = (): Tensor => noised(image(clean), image(noise), [linear[600]!]);

  test("noised images, predicted ones and a step of DDIM are those of the reference", () => {
    engine.scope(() => {
      const { x_t_first3, x0_hat_first3, ddim_eta0_to_t100_first3 } = diffusion.x0_pred_case;
      const precise = (x: Tensor): ArrayLike<number> => x.values().slice(0, 3);
      expectClose(precise(at()), x_t_first3, bound);
      expectClose(precise(predictedImages(at(), image(seen), [linear[600]!])), x0_hat_first3, bound);
      const step = { bar: linear[600]!, next: linear[100]!, eta: 0, clip: false };
      expectClose(precise(denoised(at(), image(seen), step)), ddim_eta0_to_t100_first3, bound);
    });
  });

  test("the true noise gives the image back, and a step with it the image at the earlier time", () => {
    engine.scope(() => {
      const step = { bar: linear[600]!, next: linear[250]!, eta: 0, clip: true };
      expectClose(predictedImages(at(), image(noise), [linear[600]!]).values(), clean, bound);
      const expected = noised(image(clean), image(noise), [linear[250]!]).values();
      expectClose(denoised(at(), image(noise), step).values(), expected, bound);
      const last = denoised(at(), image(noise), { ...step, next: 1 });
      expectClose(last.values(), clean, bound);
    });
  });

  test("clipped predictions lie in [−1, 1], and the noise is what is left of the image", () => {
    engine.scope(() => {
      const far = image(wave((i) => 3 * Math.sin(i)));
      const step = { bar: 0.3, next: 1, eta: 0, clip: true };
      const held = denoised(far, image(noise), step).values();
      const free = denoised(far, image(noise), { ...step, clip: false }).values();
      expectClose(
        held,
        Array.from(free, (value) => Math.min(1, Math.max(-1, value))),
        bound,
      );
      const earlier = denoised(far, image(noise), { ...step, next: 0.8 }).values();
      const rest = Array.from(far.values(), (x, i) => (x - Math.sqrt(0.3) * held[i]!) / Math.sqrt(0.7));
      expectClose(
        earlier,
        Array.from(held, (x, i) => Math.sqrt(0.8) * x + Math.sqrt(0.2) * rest[i]!),
        bound,
      );
    });
  });

  test("η = 1 is a step of DDPM's ancestral sampler with the posterior's mean and variance", () => {
    engine.scope(() => {
      const [bar, next] = [linear[600]!, linear[580]!];
      const beta = 1 - bar / next;
      const z = wave((i) => Math.sin(5 * i + 1));
      const predicted = predictedImages(at(), image(seen), [bar]).values();
      const x = at().values();
      const sigma = Math.sqrt(((1 - next) / (1 - bar)) * beta);
      const posterior = wave(
        (i) =>
          (Math.sqrt(next) * beta * predicted[i]!) / (1 - bar) +
          (Math.sqrt(1 - beta) * (1 - next) * x[i]!) / (1 - bar) +
          sigma * z[i]!,
      );
      const step = { bar, next, eta: 1, clip: false };
      expect(spreadOf(step)).toBeCloseTo(sigma, 12);
      expectClose(denoised(at(), image(seen), step, () => image(z)).values(), posterior, bound);
    });
  });

  test("guidance goes from what is seen without the class, through what is seen with it, beyond", () => {
    engine.scope(() => {
      const passes: number[] = [];
      /** Sees label + 1 everywhere. */
      const unet = {
        ...{ classes: 4, imageShape: [2, 2, 3] as const },
        noise(
          _: readonly Tensor[],
          x: Tensor,
          { labels, times }: { labels: ArrayLike<number>; times: ArrayLike<number> },
        ) {
          passes.push(labels.length);
          expect(Array.from(times).every((time) => time === 7)).toBe(true);
          return engine
            .tensor(
              [labels.length, 1, 1, 1],
              Array.from(labels, (label) => label + 1),
            )
            .broadcastTo(x.shape);
        },
      } as unknown as UNet;
      const x = engine.fill([2, 2, 2, 3], 0);
      const value = (guidance: number): number[] => {
        const seen = guidedNoise({ unet, parameters: [] }, x, {
          time: 7,
          labels: Int32Array.of(0, 2),
          guidance,
        });
        expect(seen.shape).toEqual(x.shape);
        return [seen.values()[0]!, seen.values()[12]!];
      };
      expect(value(0)).toEqual([5, 5]);
      expect(value(1)).toEqual([1, 3]);
      expect(value(2)).toEqual([5 + 2 * (1 - 5), 5 + 2 * (3 - 5)]);
      expect(passes).toEqual([2, 2, 4]);
    });
  });
});
