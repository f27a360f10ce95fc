import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readPublished } from "../../../experiments/published.ts";
import { compare, laboratorySpread, publishedSpread } from "../../../experiments/reproduction/band.ts";
import { studentQuantile } from "../../../src/evaluation/studentLaw.ts";
import { seeded } from "../../../src/core/rng.ts";
import { number } from "./numbers.ts";

describe("the spread between laboratories", () => {
  test("is the median difference over 0.6745 √2, of pairs that measured the same by the same protocol", () => {
    const context = [
      ...[0.5, 0.51, 0.53].map((mean, i) => number({ mean, source: String(i) })), // differences 1, 3, 2
      number({ mean: 0.9, source: "other protocol", protocol: "dc-300" }),
      number({ mean: 0.8, source: "hearsay", evidence: "issue" }),
      number({ mean: 0.7, source: "not stated", protocol: "" }),
      number({ mean: 0.6, cell: "another" }),
      number({ mean: 0.5, source: "quoted" }), // equal to the first; differs from the others by 1 and 3
    ];
    const { std, pairs } = laboratorySpread(context);
    expect(pairs).toBe(5); // 1, 3, 2, 1, 3
    expect(std).toBeCloseTo(0.02 / (0.6745 * Math.SQRT2), 10);
  });

  test("estimates the deviation that two laboratories were drawn with", () => {
    const rng = seeded(5).stream("laboratories");
    const deviation = 0.007;
    const context = Array.from({ length: 400 }, (_, cell) =>
      ["a", "b"].map((source) => number({ cell: `c${cell}`, source, mean: 0.5 + deviation * rng.normal() })),
    ).flat();
    // A median of |z| has a standard error of 1/(2 φ(0.6745) · 2 √n) = 0.079/0.6745 of itself at n = 100, so 6 % at 400.
    expect(Math.abs(laboratorySpread(context).std / deviation - 1)).toBeLessThan(5 * 0.058);
  });

  test("is 0.6 points in the published numbers", () => {
    const { std, pairs } = laboratorySpread(readPublished());
    expect(pairs).toBe(53);
    expect(100 * std).toBeCloseTo(0.63, 2);
  });
});

describe("a number without a deviation", () => {
  const similar = [0.001, 0.002, 0.004, 0.006, 0.02].map((std, i) =>
    number({ cell: `s${i}`, std, dataset: "cifar10" }),
  );
  const others = [0.03, 0.03, 0.03, 0.03, 0.03, 0.03].map((std, i) =>
    number({ cell: `o${i}`, std, dataset: "mnist" }),
  );
  const bare = number({ std: undefined });

  test("takes the median of the same data and images per class", () => {
    expect(publishedSpread(bare, [...similar, ...others])).toEqual({
      std: 0.004,
      from: "not published: the median of 5 published ones of the same data and images per class",
    });
  });

  test("of as many images per class where these are few, and of all where those are", () => {
    expect(publishedSpread(bare, [...similar.slice(1), ...others]).std).toBe(0.03);
    const lone = publishedSpread(number({ std: undefined, imagesPerClass: 7 }), [...similar, ...others]);
    expect(lone.std).toBe(0.03);
    expect(lone.from).toBe("not published: the median of 11 published ones of all data");
  });

  test("keeps its own where it has one", () => {
    expect(publishedSpread(number({ std: 0.05 }), similar)).toEqual({ std: 0.05, from: "published" });
  });
});

describe("the band", () => {
  test("is what the formula says, by hand", () => {
    // P = 0.0001/5; means of ours 0.50, 0.51, 0.52, so O = 0.0001/3; r = 0; h²/3 = 25e-8/3.
    const { band, got, verdict } = compare(number(), [[0.5], [0.51], [0.52]], []);
    const [p, o, h] = [1e-4 / 5, 1e-4 / 3, 25e-8 / 3];
    const freedom = (p + o + h) ** 2 / (p ** 2 / 99 + o ** 2 / 2);
    expect(got).toBeCloseTo(0.51, 12);
    expect(band).toBeCloseTo(studentQuantile(0.95, freedom) * Math.sqrt(p + o + h), 12);
    expect(verdict).toBe("within");
  });

  test("of one distillation has the published spread in it, since its networks do not tell how distillations differ", () => {
    // O = 0.0002/2 + 0.0001 known: networks 0.49, 0.51 have variance 0.0002.
    const { band } = compare(number(), [[0.49, 0.51]], []);
    const [p, o, known] = [1e-4 / 5, 1e-4, 1e-4 + 25e-8 / 3];
    const freedom = (p + o + known) ** 2 / (p ** 2 / 99 + o ** 2 / 1);
    expect(band).toBeCloseTo(studentQuantile(0.95, freedom) * Math.sqrt(p + o + known), 12);
  });

  test("says nothing of one network", () => {
    expect(compare(number(), [[0.9]], [])).toMatchObject({ verdict: "too few runs to say", band: NaN });
  });

  const runs = fc.array(
    fc.array(
      fc.integer({ min: 400, max: 600 }).map((x) => x / 1000),
      { minLength: 3, maxLength: 3 },
    ),
    { minLength: 1, maxLength: 5 },
  );
  const std = fc.integer({ min: 1, max: 50 }).map((x) => x / 1000);

  test("does not depend on where the measurement lies, and the verdict follows the difference", () => {
    fc.assert(
      fc.property(runs, std, fc.integer({ min: -300, max: 300 }), (accuracies, deviation, thousandths) => {
        const published = number({ std: deviation });
        const shift = thousandths / 1000;
        const here = compare(published, accuracies, []);
        const moved = compare(
          published,
          accuracies.map((run) => run.map((x) => x + shift)),
          [],
        );
        expect(moved.band).toBeCloseTo(here.band, 9);
        const difference = here.got + shift - published.mean;
        fc.pre(Math.abs(Math.abs(difference) - here.band) > 1e-9);
        expect(moved.verdict).toBe(
          Math.abs(difference) < here.band ? "within" : difference < 0 ? "below" : "above",
        );
      }),
      { seed: 11 },
    );
  });

  test("mirrors: as far above as below", () => {
    fc.assert(
      fc.property(runs, std, (accuracies, deviation) => {
        const published = number({ std: deviation });
        const here = compare(published, accuracies, []);
        const mirrored = compare(
          published,
          accuracies.map((run) => run.map((x) => 2 * published.mean - x)),
          [],
        );
        const opposite = { below: "above", above: "below" } as Record<string, string>;
        expect(mirrored.band).toBeCloseTo(here.band, 9);
        expect(mirrored.verdict).toBe(opposite[here.verdict] ?? here.verdict);
      }),
      { seed: 12 },
    );
  });

  test("grows with the published deviation and with the spread between laboratories", () => {
    const laboratories = (points: number) => [
      number({ cell: "l", source: "a" }),
      number({ cell: "l", source: "b", mean: 0.5 + points / 100 }),
    ];
    const ten = fc.array(fc.integer({ min: 400, max: 600 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(ten, std, (thousandths, deviation) => {
        const accuracies = thousandths.map((x) => [x / 1000]);
        const bandOf = (scale: number, points: number): number =>
          compare(number({ std: scale * deviation }), accuracies, laboratories(points)).band;
        // A hundredfold: little more may narrow it, since a known variance also brings degrees of freedom.
        expect(bandOf(100, 1)).toBeGreaterThan(bandOf(1, 1));
        expect(bandOf(1, 100)).toBeGreaterThan(bandOf(1, 1));
      }),
      { seed: 13 },
    );
  });

  test("is wider where the source does not say how many distillations its mean is over", () => {
    const ours = [[0.5], [0.51], [0.52], [0.5]];
    const bandOf = (distillations: number | undefined): number =>
      compare(number({ distillations }), ours, []).band;
    expect(bandOf(undefined)).toBeGreaterThan(bandOf(5));
    expect(bandOf(5)).toBeGreaterThan(bandOf(25));
  });
});

describe("faithful reproductions", () => {
  /** Share of verdicts "within", where both sides are drawn from one law with these deviations. */
  function share(
    deviations: { distillation: number; network: number; laboratory: number },
    [s, n]: readonly [number, number],
    [ours, networks]: readonly [number, number],
    shift = 0,
  ): number {
    const rng = seeded(17).stream(JSON.stringify([deviations, s, n, ours, networks]));
    const draw = (count: number, each: number): number[][] => {
      const laboratory = deviations.laboratory * rng.normal();
      return Array.from({ length: count }, () => {
        const distillation = deviations.distillation * rng.normal();
        return Array.from(
          { length: each },
          () => 0.5 + laboratory + distillation + deviations.network * rng.normal(),
        );
      });
    };
    // Two numbers of another cell whose difference makes r exactly the laboratories' deviation.
    const apart = deviations.laboratory * 0.6745 * Math.SQRT2;
    const context = [
      number({ cell: "l", source: "a" }),
      number({ cell: "l", source: "b", mean: 0.5 + apart }),
    ];
    let within = 0;
    for (let i = 0; i < TRIALS; i++) {
      const theirs = draw(s, n).flat();
      const mean = theirs.reduce((sum, x) => sum + x) / theirs.length;
      const std = Math.sqrt(theirs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / theirs.length);
      const published = number({ mean, std, distillations: s, networks: n, rounding: 1e-6 });
      const accuracies = draw(ours, networks).map((run) => run.map((x) => x + shift));
      if (compare(published, accuracies, context).verdict === "within") within++;
    }
    return within / TRIALS;
  }
  const TRIALS = 400;
  /** 5 standard errors of a share of 95 %. */
  const margin = 5 * Math.sqrt((0.95 * 0.05) / TRIALS);

  test.each([
    [
      "5 × 20 on both sides, networks vary",
      { distillation: 0.001, network: 0.008, laboratory: 0.005 },
      [5, 20],
      [5, 20],
    ],
    [
      "5 × 20 on both sides, distillations vary",
      { distillation: 0.02, network: 0.005, laboratory: 0.005 },
      [5, 20],
      [5, 20],
    ],
    ["two of ours", { distillation: 0.01, network: 0.005, laboratory: 0.005 }, [5, 20], [2, 3]],
    ["one of ours", { distillation: 0.01, network: 0.005, laboratory: 0.001 }, [5, 20], [1, 5]],
    [
      "no difference between laboratories",
      { distillation: 0.01, network: 0.01, laboratory: 0 },
      [5, 20],
      [3, 5],
    ],
  ] as const)("are within in 95 %% of cases or more: %s", (_, deviations, theirs, ours) => {
    expect(share(deviations, theirs, ours)).toBeGreaterThan(0.95 - margin);
  });

  test("what misses the published number by 3 points does not pass", () => {
    const deviations = { distillation: 0.003, network: 0.006, laboratory: 0.005 };
    expect(share(deviations, [5, 20], [5, 20], -0.03)).toBeLessThan(0.05 + margin);
  });
});
