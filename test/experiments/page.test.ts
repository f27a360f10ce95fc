import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { mixtures } from "../../experiments/report/page/mixtures.ts";
import { renderPage } from "../../experiments/report/page/page.ts";
import { type DrawnChart, nothing, type PageData } from "../../experiments/report/page/pageData.ts";
import { pictureOf, rowsShown } from "../../experiments/report/page/pictures.ts";
import { inOrder } from "../../experiments/report/order.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import type { Row } from "../../experiments/results.ts";
import { row, rowsOf } from "./rows.ts";

const dataOf = (rows: readonly Row[], more: Partial<PageData> = {}): PageData => ({
  ...nothing,
  rows,
  summaries: summarize(rows),
  ...more,
});

const picture = { url: "data:image/webp;base64,cG5n", width: 66, height: 66, rows: 2 };
const setting = { dataset: "cifar10", imbalance: 1, imagesPerClass: 10 };
const rows = [
  ...rowsOf([0.4, 0.41], { objective: "random" }),
  ...rowsOf([0.5, 0.51]),
  ...rowsOf([0.7, 0.71], { objective: "csdm", plugins: "difficultyCorrection" }),
  row({ objective: "dm", evaluationSeed: 2, accuracy: NaN, status: "loss is not finite at epoch 3" }),
];
const chart: DrawnChart = {
  id: "loss",
  section: "training",
  title: "Loss",
  alt: "Loss falls from 4 to 1",
  dataset: "cifar10",
  methods: ["dm"],
  svg: `<svg viewBox="0 0 1 1" role="img" aria-label="Loss falls from 4 to 1"><path d="M0 0"/></svg>`,
};
const data = dataOf(rows, {
  classNames: { cifar10: ["cat", "<dog>"] },
  grids: [
    { file: "real", ...setting, caption: "first", classNames: ["cat", "<dog>"], picture },
    { file: "dm", ...setting, method: "dm", caption: "e, seed 0", classNames: [], picture },
  ],
  unfinished: [
    {
      ...{
        experiment: "going",
        method: "csdm",
        dataset: "cifar10",
        seed: 3,
        step: 30,
        steps: 120,
        busy: true,
      },
      metrics: [
        { step: 0, difficulty: 9 },
        ...[1, 2, 3].map((step) => ({ step, loss: 1 / step, gradientNorm: 1 })),
        { step: 4, loss: 1 / 4, gradientNorm: 1, difficulty: 7.65432 },
        { step: 5, loss: 1 / 5, gradientNorm: 1 },
      ],
      updated: "2026-01-02T03:04:05.678Z",
    },
    {
      ...{ experiment: "broken", method: "dm", dataset: "cifar10", seed: 4, step: 7, steps: 9, busy: false },
      metrics: [],
      failure: "no room left on the disk",
    },
  ],
  machines: [
    {
      ...{
        distillery: "1.2.3",
        commit: "abc",
        engine: "torch-cpu",
        engineDescription: "libtorch 9",
        runs: 2,
      },
      ...{ node: "v20", processor: "Abacus", cores: 4, memoryGiB: 8, date: "2026-01-02T00:00:00Z" },
    },
  ],
  configs: [{ experiment: "e", dataset: "cifar10", seeds: [0, 1], text: "a: 1\n  b: <2>\n" }],
});
const page = renderPage(data, [chart]);

/** Elements in order of their end; throws where one is not closed. */
function elements(text: string): string[] {
  const body = text.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, "<$1></$1>");
  const open: string[] = [];
  const closed: string[] = [];
  for (const [, slash, name] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*?(?<!\/)>/g)) {
    if (["meta", "br"].includes(name!)) continue;
    if (slash === "") open.push(name!);
    else {
      expect(open.pop()).toBe(name);
      closed.push(name!);
    }
  }
  expect(open).toEqual([]);
  return closed;
}

describe("the page", () => {
  test("needs nothing but itself, and tells the browser so", () => {
    expect(page).not.toMatch(/\b(src|href)="(?!data:|#)|url\((?!#)|@import|https?:|fetch\(/);
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page).toContain("connect-src &#39;none&#39;");
  });

  test("closes every element it opens, with results and without", () => {
    expect(elements(page)).toContain("table");
    expect(elements(renderPage(nothing))).toContain("main");
    expect(elements(renderPage(data, [chart], { live: true }))).toContain("table");
  });

  test("escapes what it is given", () => {
    expect(page).toContain("&#60;dog&#62;");
    expect(page).not.toContain("<dog>");
    expect(page).toContain("a: 1\n  b: &#60;2&#62;\n");
    const named = renderPage(dataOf(rowsOf([0.1], { dataset: 'a"><script>x</script>' })));
    expect(named).not.toContain("<script>x");
  });

  test("says first in words what holds", () => {
    expect(page.indexOf("csdm + difficultyCorrection is best: 70.5")).toBeGreaterThan(0);
    expect(page.indexOf("csdm + difficultyCorrection is best: 70.5")).toBeLessThan(page.indexOf("<table"));
  });

  test("has a row with mean, spread, gain, repetitions and star for each method", () => {
    const [head, ...lines] = page.match(/<tr[\s\S]*?<\/tr>/g)!;
    expect(head).toContain("over random");
    const best = lines.find((line) => line.includes("csdm + difficultyCorrection"))!;
    for (const text of ["70.5 ± 0.7", "★", "+30.0", ">2<"]) expect(best).toContain(text);
    expect(lines.find((line) => line.includes('data-method="dm"'))).toContain("2 (+ 1 failed)");
    expect(page.match(/★/g)).toHaveLength(1);
  });

  test("sets methods against settings where there are several", () => {
    expect(page).not.toContain("comparison");
    const several = renderPage(dataOf([...rows, ...rowsOf([0.6, 0.61], { imagesPerClass: 50 })]));
    expect(several).toMatch(
      /<table class="sortable" id="comparison-[\s\S]*Images per class[\s\S]*60\.5 ± 0\.7/,
    );
  });

  test("gives a method one color and one shape everywhere", () => {
    const keys = [...page.matchAll(/<svg class="key (s\d)"[\s\S]*?d="([^"]+)"[\s\S]*?<\/svg\s*>([^<]+)</g)];
    const ofDm = keys.filter(([, , , label]) => label!.trim() === "dm");
    expect(ofDm.length).toBeGreaterThan(2);
    expect(new Set(ofDm.map(([, color, shape]) => `${color} ${shape}`)).size).toBe(1);
    const ofAll = new Map(keys.map(([, color, shape, label]) => [label!.trim(), `${color} ${shape}`]));
    expect(ofAll.get("random")).not.toBe(ofAll.get("dm"));
    expect(ofAll.get("csdm + difficultyCorrection")).not.toBe(ofAll.get("dm"));
  });

  test("offers a filter for every method, and for every data set where there are several", () => {
    for (const slug of ["random", "dm", "csdm-difficultycorrection", "csdm"]) {
      expect(page).toMatch(new RegExp(`name="method"\\s+value="${slug}"`));
    }
    expect(page).not.toContain('name="dataset"');
    const two = renderPage(dataOf([...rows, ...rowsOf([0.9], { dataset: "mnist" })]));
    expect(two.match(/name="dataset"/g)).toHaveLength(2);
  });

  test("shows images beside the real ones, with class names and words for those who do not see them", () => {
    expect(page.match(/src="data:image\/webp;base64,cG5n"/g)).toHaveLength(2);
    expect(page).toContain('alt="Real images of cifar10, 10 images per class: one row for each class"');
    expect(page).toContain("<li>cat</li>");
  });

  test("shows charts with their words", () => {
    expect(page).toContain("<h3>Loss</h3>");
    expect(page).toContain(chart.svg);
    expect(page).toMatch(/data-methods="dm"/);
  });

  test("shows how far runs are, and what failed with its error", () => {
    expect(page).toMatch(/<progress value="30" max="120"/);
    expect(page).toMatch(/loss 0\.2\b/);
    expect(page).toContain("difficulty of the images 7.654");
    expect(page).toContain("2026-01-02 03:04:05 UTC");
    expect(page).toContain("no room left on the disk");
    expect(page).toContain("loss is not finite at epoch 3");
    expect(page).toContain("2 failures");
  });

  test("a failed distillation is told of once, though its folder is there too", () => {
    const failed = row({
      experiment: "broken",
      distillSeed: 4,
      evaluationSeed: -1,
      accuracy: NaN,
      status: "ended",
    });
    const text = renderPage(dataOf([...rows, failed], { unfinished: data.unfinished }));
    expect(text).toContain("ended");
    expect(text).not.toContain("no room left on the disk");
  });

  test("says where numbers come from", () => {
    for (const text of ["Abacus", "libtorch 9", "1.2.3 (abc)", "dm-1000", "1001 epochs", "e, seeds 0, 1"]) {
      expect(page).toContain(text);
    }
  });

  test("headings go down one level at a time", () => {
    const levels = [...page.matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level, i) => i > 0 && level > levels[i - 1]! + 1)).toEqual([]);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
  });

  test("ids are unique", () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  test("tells of runs that could not be read", () => {
    expect(renderPage({ ...data, unreadable: ["x: odd"] })).toContain("A run is left out. x: odd");
  });

  test("can be empty", () => {
    const empty = renderPage(nothing);
    expect(empty).not.toMatch(/>\s*(NaN|undefined|Infinity)/);
    expect(empty).not.toContain("<table");
  });

  test("of many settings and classes most is folded away", () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      rowsOf([0.5, 0.6], { imagesPerClass: i + 1, classAccuracies: Array<number>(100).fill(0.5) }),
    ).flat();
    const text = renderPage(dataOf(many));
    expect(text.match(/<details[^>]*\sopen/g)!.length).toBeLessThan(10);
    expect(text).toContain("34 more settings");
  });

  test("a live one asks where it came from, and nothing else", () => {
    const live = renderPage(data, [], { live: true });
    expect(live).toContain("connect-src &#39;self&#39;");
    expect(live).toContain('ask("version")');
    expect(page).not.toContain('ask("version")');
  });
});

describe("what is mixed", () => {
  test("rows of one protocol, commit and engine need no warning", () => {
    expect(mixtures(rows)).toEqual([]);
    expect(mixtures([row(), row({ imagesPerClass: 1, commit: "1", engine: "tfjs" })])).toEqual([]);
  });

  test("several protocols for the same images, and commits or engines within one table, are told", () => {
    expect(mixtures([row(), row({ protocol: "quick" })])).toEqual([
      "The same images were judged by the protocols dm-1000 and quick; their accuracies cannot be compared.",
    ]);
    expect(mixtures([row(), row({ commit: "1" }), row({ commit: "1" })])).toEqual([
      "One setting mixes rows of different versions of the code, 0 (1 row) and 1 (2 rows); a difference may come from there.",
    ]);
    expect(mixtures([row(), row({ engine: "tfjs" })])[0]).toContain(
      "engines, torch-cpu (1 row) and tfjs (1 row)",
    );
  });
});

test("methods come as baselines first, then in the order of their table, a bare one before its plugins", () => {
  expect(inOrder(["mine", "csdm + difficultyCorrection", "csdm", "dm", "random", "dm"])).toEqual([
    "random",
    "dm",
    "csdm",
    "csdm + difficultyCorrection",
    "mine",
  ]);
});

describe("pictures for a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "pictures-"));
  const drawn = async (name: string, size: number, scale: number): Promise<string> => {
    const file = join(folder, name);
    const pixels = Buffer.from(Array.from({ length: size * size * 3 }, (_, i) => (i * 97) % 256));
    const image = sharp(pixels, { raw: { width: size, height: size, channels: 3 } });
    await image.resize(size * scale, size * scale, { kernel: "nearest" }).toFile(file);
    return file;
  };

  test("hold each pixel once where the file holds it twice", async () => {
    const doubled = await pictureOf(await drawn("doubled.png", 20, 2), 2, 20);
    expect([doubled.width, doubled.height, doubled.rows]).toEqual([20, 20, 2]);
    const single = await pictureOf(await drawn("single.png", 20, 1), 2, 20);
    expect([single.width, single.height]).toEqual([20, 20]);
    const { width, format } = await sharp(Buffer.from(single.url.split(",")[1]!, "base64")).metadata();
    expect([width, format]).toEqual([20, "webp"]);
  });

  test("of many classes hold the first twenty, or fewer of many sets", async () => {
    const {
      width,
      height,
      rows: shown,
    } = await pictureOf(await drawn("many.png", 200, 1), 100, rowsShown(3));
    expect([width, height, shown]).toEqual([200, 40, 20]);
    expect(rowsShown(60)).toBe(10);
  });
});

describe("paired differences", () => {
  const sdc = { plugins: "difficultyCorrection", options: "plugins.difficultyCorrection.weight=0.01" };
  const paired = (seeds: number): Row[] =>
    Array.from({ length: seeds }, (_, distillSeed) => [
      row({ distillSeed, accuracy: 0.5 + distillSeed / 100 }),
      row({ distillSeed, accuracy: 0.51 + distillSeed / 50, ...sdc }),
    ]).flat();

  test("have a section with their numbers, how many there are, and what to expect of so many", () => {
    const page = renderPage(dataOf(paired(3)));
    expect(page).toContain('<a href="#paired">Paired</a>');
    // Differences 1, 2 and 3 points.
    expect(page).toContain("+2.00 [−0.48, +4.48]");
    expect(page).toContain("1 interval, of which none excludes 0.");
    expect(page).toMatch(/<tr\s+data-method="dm-difficultycorrection"/);
    expect(page).toMatch(/<details id="table-paired-plugins-cifar10-ipc10"\s*>/);
  });

  test("that are of one pair are shown open, since there is no chart; without a partner there is no section", () => {
    const page = renderPage(dataOf(paired(1)));
    expect(page).toContain("+1.00, too few pairs");
    expect(page).toMatch(/<details id="table-paired-plugins-cifar10-ipc10" open>/);
    expect(renderPage(dataOf(rows))).not.toContain('id="paired"');
  });
});
