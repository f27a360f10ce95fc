import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { publishedColumns, publishedFile, readPublished } from "../../experiments/published.ts";
import { plugins } from "../../src/plugins/index.ts";

const published = readPublished();
const numbersOf = (cell: string): string[] =>
  published.filter((one) => one.cell === cell).map(({ printed, source }) => `${printed} (${source})`);

describe("results/published.csv", () => {
  // Read by hand from the papers' tables, one from each.
  test.each([
    ["dm-cifar10-ipc10", "48.9 ± 0.6 (NCFM, Table 1)"],
    ["ncfm-tinyImageNet-ipc50", "29.6 ± 0.5 (NCFM, Table 1)"],
    ["ncfm-cifar10-ipc10-noPsi", "65.6 (NCFM, ablation of psi)"],
    ["ncfm-imageYellow-ipc10", "74.2 (NCFM, ImageNet subsets)"],
    ["dm-cifar10-ipc1250", "80.8 ± 0.3 (DM, README)"],
    ["iid-svhn-ipc50-dm", "85.3 (IID on SVHN)"],
    ["dc-cifar100-ipc10", "25.2 (DC, README)"],
    ["dsa-mnist-ipc50", "99.2 (DSA, README)"],
    ["random-mnist-ipc1", "64.9 ± 3.5 (SDC, Table 1)"],
    ["dsac+sdc-svhn-ipc1", "48.1 ± 1.6 (SDC, Table 1)"],
    ["dsac+sdc-svhn-ipc50-on-mlp", "63.47 (SDC, Table 11)"],
    ["dsac-mnist-ipc10-on-vgg11", "96.88 (SDC, Table 3)"],
    ["datm+sdc-cifar100-ipc1-on-alexNet", "3.73 (SDC, Table 3)"],
    ["datm-tinyImageNet-ipc10-on-resNet18", "6.33 (SDC, Table 9)"],
    ["ftd+sdc-tinyImageNet-ipc10", "22.2 ± 0.2 (SDC, Table 2)"],
    ["mtt-cifar100-ipc10", "39.7 ± 0.4 (FTD, table of results)"],
    ["datm-cifar10-ipc1000", "85.5 ± 0.4 (DATM, table of results)"],
    ["random-cifar10-ipc10", "31.0 ± 0.5 (DATM, table of results)"],
    ["mtt-cifar10-lt200-ipc20", "22.6 ± 1.0 (LAD, Table 1)"],
    ["lad-cifar10-lt50-ipc50", "65.8 ± 0.2 (LAD, Table 1)"],
    ["whole-cifar10-lt200", "62.1 ± 0.4 (LAD, Table 1)"],
    ["lad-imageNetLt-lt5-ipc10", "20.8 (LAD, fragments)"],
    ["dgs-imageWoof-ipc20-on-resNet18", "43.4 ± 1.0 (DGS, Table 1)"],
    ["minimax-imageIdc-ipc50-on-resNetAp10", "74.1 ± 0.2 (DGS, Table 2)"],
    ["dgs-imageWoof-ipc20-cliff-on-resNetAp10", "44.3 ± 0.3 (DGS, Table 3)"],
    ["dgs-imageWoof-ipc50-pool6-on-resNetAp10", "54.9 ± 1.3 (DGS, Table 4)"],
    ["herding-cifar100-ipc20-10steps", "27.4 (DM, continual learning)"],
    ["csdm-cifar10-lt200-ipc10", "14.0 (CSDM, abstract)"],
  ])("%s has %s", (cell, number) => {
    expect(numbersOf(cell)).toContain(number);
  });

  test("holds as many numbers of each table as the papers do", () => {
    const counts = new Map<string, number>();
    for (const { source } of published) counts.set(source, (counts.get(source) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toMatchObject({
      "NCFM, Table 1": 57, // 7 methods and the whole set: 9 columns, less 9 dashes, and 3
      "SDC, Table 1": 84, // 9 rows of 9 columns, and 3 whole sets
      "SDC, Table 2": 94, // 11 rows of 9 columns, less 8 dashes, and 3 whole sets
      "SDC, Table 3": 60, // 2 methods and SDC, 3 data sets each, 5 networks
      "LAD, Table 1": 122, // 10 rows of 12 columns, less 2 failures, and 4 whole sets
      "DGS, Table 1": 75, // 9 rows of 8 columns, and 3 whole sets
    });
    expect(published).toHaveLength(803);
  });

  test("names each cell by what it is", () => {
    const wrong = published
      .map(({ cell, method, plugins: wrapped, dataset, imbalance, imagesPerClass, variant }) => {
        const parts = [
          wrapped === "" ? method : `${method}+sdc`,
          dataset,
          ...(imbalance === 1 ? [] : [`lt${imbalance}`]),
          ...(imagesPerClass === undefined ? [] : [`ipc${imagesPerClass}`]),
          ...(variant === "" ? [] : [variant]),
        ];
        return { cell: cell.replace(/-on-\w+$/, ""), expected: parts.join("-") };
      })
      .filter(({ cell, expected }) => cell !== expected);
    expect(wrong).toEqual([]);
  });

  test("gives one cell one setting, whoever reports it", () => {
    const settings = new Map<string, Set<string>>();
    for (const { cell, dataset, imbalance, imagesPerClass, plugins: wrapped } of published) {
      const setting = JSON.stringify([dataset, imbalance, imagesPerClass, wrapped]);
      settings.set(cell, (settings.get(cell) ?? new Set()).add(setting));
    }
    expect([...settings].filter(([, of]) => of.size > 1)).toEqual([]);
  });

  test("has deviations of a size that accuracies have, and plugins that exist", () => {
    for (const { std = 0, mean, plugins: wrapped } of published) {
      expect(mean).toBeGreaterThan(0);
      expect(mean).toBeLessThanOrEqual(1);
      expect(std).toBeLessThan(0.06);
      if (wrapped !== "") expect(Object.keys(plugins)).toContain(wrapped);
    }
  });

  test("a whole training set does better than a small one of it", () => {
    const whole = published.filter(({ method, imbalance }) => method === "whole" && imbalance === 1);
    for (const { dataset, evaluationNetwork, mean } of whole) {
      const smaller = published.filter(
        (one) =>
          one.metric === "accuracy" &&
          one.imagesPerClass !== undefined &&
          one.dataset === dataset &&
          one.evaluationNetwork === evaluationNetwork &&
          // From 50 on, DATM's soft labels go beyond the whole set where its classes have 500 images.
          one.imagesPerClass <= 20,
      );
      for (const one of smaller) expect(one.mean).toBeLessThan(mean);
    }
  });

  test("docs/reproducing.md explains every column, in order", () => {
    const explained = [...readFileSync("docs/reproducing.md", "utf8").matchAll(/^\| `(\w+)` +\|/gm)];
    expect(explained.map((match) => match[1])).toEqual(publishedColumns);
  });
});

describe("reading", () => {
  const [head, first] = readFileSync(publishedFile, "utf8").split("\n") as [string, string];
  const folder = mkdtempSync(join(tmpdir(), "distillery-published-"));
  const written = (...lines: string[]): string => {
    const file = join(mkdtempSync(join(folder, "case-")), "published.csv");
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };

  test("fractions, digits as printed, and what rounding may hide", () => {
    const line =
      "x-y-ipc1,x,,,y,10,1,,,,last,accuracy,48.90,0.6,5,20,P,paper,https://arxiv.org/abs/2110.04181,";
    expect(readPublished(written(head, line))).toEqual([
      {
        ...{ cell: "x-y-ipc1", method: "x", plugins: "", variant: "", dataset: "y", imbalance: 10 },
        ...{ imagesPerClass: 1, network: "", evaluationNetwork: "", protocol: "", selection: "last" },
        ...{ metric: "accuracy", distillations: 5, networks: 20, source: "P", evidence: "paper" },
        ...{ link: "https://arxiv.org/abs/2110.04181", note: "", printed: "48.90 ± 0.6" },
        mean: expect.closeTo(0.489, 12),
        std: expect.closeTo(0.006, 12),
        rounding: expect.closeTo(0.00005, 12),
      },
    ]);
  });

  test.each([
    [
      "a number that is none",
      first.replace("accuracy,14.4", "accuracy,many"),
      /line 2: mean: .*, got "many"/,
    ],
    [
      "a percentage above 100",
      first.replace("accuracy,14.4", "accuracy,148.9"),
      /line 2: mean: .*up to 100, got "148.9"/,
    ],
    [
      "an unknown metric",
      first.replace(",accuracy,", ",recall,"),
      /line 2: metric: .*accuracy.*, got "recall"/,
    ],
    [
      "a count that is none",
      first.replace(",1,1,", ",1,0,"),
      /line 2: imagesPerClass: expected a whole number/,
    ],
    ["a field too many", `${first},more`, /Invalid Record Length/],
  ])("refuses %s", (_, line, message) => {
    expect(() => readPublished(written(head, line))).toThrow(message);
  });

  test("refuses a file without a column, with another one, and one that is not there", () => {
    expect(() => readPublished(written("cell", "x"))).toThrow(/line 2: expected a column method, got none/);
    expect(() => readPublished(written(`${head},more`, `${first},x`))).toThrow(
      /expected the columns cell, .*, got also more/,
    );
    expect(() => readPublished(join(folder, "none.csv"))).toThrow(/none.csv: expected the published numbers/);
  });

  test("refuses a cell given twice by one source", () => {
    expect(() => readPublished(written(head, first, first))).toThrow(
      /line 3: expected each cell once for a source, got random-cifar10-ipc1 of NCFM, Table 1 again/,
    );
  });
});
