import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { dataCommand } from "../../../experiments/commands/data.ts";
import { layouts } from "../../../experiments/data/imageFiles.ts";
import { decodedImages } from "../../../experiments/data/images.ts";
import { loadData, parsedDatasetOptions } from "../../../experiments/data/load.ts";
import { classCounts, type Dataset, datasets } from "../../../src/datasets/index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "distillery-images-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Writes a file below the root, with its folders. */
function write(path: string, bytes: Uint8Array | string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), bytes);
}

/** A JPEG of one shade: of three channels, or of one. */
async function jpeg(shade: number, { side = 8, gray = false } = {}): Promise<Buffer> {
  const background = { r: shade, g: gray ? shade : 255 - shade, b: shade };
  const image = sharp({ create: { width: side, height: side, channels: 3, background } });
  return (gray ? image.toColourspace("b-w") : image).jpeg({ quality: 100 }).toBuffer();
}

/** The shade in the middle of each image, in its first channel. */
function shades({ pixels, imageShape: [height, width, channels], labels }: Dataset): number[] {
  const size = height * width * channels;
  const middle = (Math.floor(height / 2) * width + Math.floor(width / 2)) * channels;
  return Array.from(labels, (_, i) => pixels[i * size + middle]!);
}

const near = (values: readonly number[], tolerance = 3): unknown =>
  values.map((value) => expect.closeTo(value, -Math.log10(2 * tolerance)));

const loaded = async (name: keyof typeof datasets, more: Record<string, unknown> = {}) =>
  (await loadData(parsedDatasetOptions({ name, root, ...more }))).splits;

describe("tinyImageNet", () => {
  const ids = ["n02", "n01", "n10"];

  /** Three classes of two training images and a validation image each; wnids.txt is not sorted, as the official one. */
  async function writeTiny(base = "tiny-imagenet-200"): Promise<void> {
    write(`${base}/wnids.txt`, `${ids.join("\n")}\n`);
    write(`${base}/words.txt`, "n00\tthing\nn01\tgold fish, Carassius\nn02\tcrane\nn10\tcrane, bird\n");
    for (const [c, id] of ids.entries()) {
      write(`${base}/train/${id}/${id}_boxes.txt`, "0\t1\t2\t3\n");
      for (const i of [0, 1]) {
        write(
          `${base}/train/${id}/images/${id}_${i}.JPEG`,
          await jpeg(20 + 40 * c + 10 * i, { gray: i === 1 }),
        );
      }
      write(`${base}/val/images/val_${c}.JPEG`, await jpeg(200 + 10 * c));
    }
    write(
      `${base}/val/val_annotations.txt`,
      ["val_1.JPEG\tn01", "val_2.JPEG\tn10", "val_0.JPEG\tn02"]
        .map((line) => `${line}\t0\t0\t9\t9\n`)
        .join(""),
    );
    write(`${base}/test/images/test_0.JPEG`, await jpeg(1));
  }

  test.each(["tiny-imagenet-200", "."])("is found in ROOT/%s, with classes sorted by ID", async (base) => {
    await writeTiny(base);
    const { train, test: held } = await loaded("tinyImageNet");
    expect(train.classFolders).toEqual(["n01", "n02", "n10"]);
    expect([...train.labels]).toEqual([0, 0, 1, 1, 2, 2]);
    expect(shades(train)).toEqual(near([60, 70, 20, 30, 100, 110]));
    expect(train.imageShape).toEqual([8, 8, 3]);
    expect([train.mean, train.std]).toEqual([
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ]);
    expect([...held.labels]).toEqual([0, 2, 1]);
    expect(shades(held)).toEqual(near([210, 220, 200]));
  });

  test("gray images have three equal channels", async () => {
    await writeTiny();
    const { pixels } = (await loaded("tinyImageNet")).train;
    const [red, green, blue] = pixels.subarray(8 * 8 * 3);
    expect([green, blue]).toEqual([red, red]);
  });

  test("classes have the first of their words, with the ID where that is another's too", async () => {
    await writeTiny();
    expect((await loaded("tinyImageNet")).train.classNames).toEqual(["gold_fish", "crane_n02", "crane_n10"]);
    rmSync(join(root, "tiny-imagenet-200/words.txt"));
    expect((await loaded("tinyImageNet", { subsetSeed: 1 })).train.classNames).toEqual(["n01", "n02", "n10"]);
  });

  test("some of the classes may be chosen, in an order of one's own", async () => {
    await writeTiny();
    rmSync(join(root, "tiny-imagenet-200/train/n01"), { recursive: true });
    const { train, test: held } = await loaded("tinyImageNet", { classes: ["n10", "n02"] });
    expect(shades(train)).toEqual(near([100, 110, 20, 30]));
    expect([...held.labels]).toEqual([0, 1]);
    expect(train.classNames).toEqual(["crane_n10", "crane_n02"]);
    await expect(loaded("tinyImageNet", { classes: ["n10", "n11"] })).rejects.toThrow(
      `tinyImageNet.classes: expected WordNet IDs of ${root}/tiny-imagenet-200/wnids.txt, got n11`,
    );
    await expect(loaded("tinyImageNet", { classes: ["n10", "n10"] })).rejects.toThrow(
      "expected every class once",
    );
  });

  test.each(["val/images", "val"])("validation images may have been moved to %s/WNID", async (folder) => {
    await writeTiny();
    rmSync(join(root, "tiny-imagenet-200/val"), { recursive: true });
    for (const [c, id] of ids.entries())
      write(`tiny-imagenet-200/${folder}/${id}/v.JPEG`, await jpeg(200 + 10 * c));
    const { test: held } = await loaded("tinyImageNet");
    expect([...held.labels]).toEqual([0, 1, 2]);
    expect(shades(held)).toEqual(near([210, 200, 220]));
  });

  test("the training split can be thinned", async () => {
    await writeTiny();
    expect(classCounts((await loaded("tinyImageNet", { imbalance: 2 })).train)).toEqual([2, 1, 1]);
  });

  test("what is missing is named, with the command that fetches it", async () => {
    await expect(loaded("tinyImageNet")).rejects.toThrow(
      `tinyImageNet: expected wnids.txt, train, val in one folder; looked in ${root}/tiny-imagenet-200 (does not exist), ` +
        `${root} (without any of them); run: distillery data tinyImageNet --fetch --root ${root}`,
    );
    await writeTiny();
    rmSync(join(root, "tiny-imagenet-200/train/n02"), { recursive: true });
    await expect(loaded("tinyImageNet")).rejects.toThrow(
      `tinyImageNet: expected a folder for each of its 3 classes below ${root}/tiny-imagenet-200/train, got none for n02`,
    );
    rmSync(join(root, "tiny-imagenet-200/val/val_annotations.txt"));
    mkdirSync(join(root, "tiny-imagenet-200/train/n02"));
    await expect(loaded("tinyImageNet")).rejects.toThrow("class n02: expected PNG, JPEG or WebP files in");
    write("tiny-imagenet-200/train/n02/images/1.JPEG", await jpeg(3));
    await expect(loaded("tinyImageNet")).rejects.toThrow(
      /expected the classes of the validation images in .*val_annotations\.txt, or a folder per class, got neither/,
    );
  });

  test("a line of the annotations that names no class is told", async () => {
    await writeTiny();
    write("tiny-imagenet-200/val/val_annotations.txt", "val_0.JPEG\tn01\t0\nval_1.JPEG\tn77\t0\n");
    await expect(loaded("tinyImageNet")).rejects.toThrow(
      /val_annotations\.txt, line 2: expected a file and its WordNet ID, as in wnids\.txt, got "val_1/,
    );
  });
});

describe("ImageNet", () => {
  /** Two training images and one for validation of each class, wider than high, with another shade at the sides. */
  async function writeClasses(folders: readonly string[], base = "."): Promise<void> {
    for (const [c, folder] of folders.entries()) {
      for (const path of [`train/${folder}/1.JPEG`, `train/${folder}/2.JPEG`, `val/${folder}/1.JPEG`]) {
        const border = { left: 8, right: 8, background: "white" };
        const image = sharp(await jpeg(20 * c, { side: 16 })).extend(border);
        write(`${base}/${path}`, await image.jpeg({ quality: 100 }).toBuffer());
      }
    }
    write(`${base}/test/ILSVRC2012_test_00000001.JPEG`, await jpeg(1));
  }

  const subsets = {
    imageNette: datasets.imageNette,
    imageWoof: datasets.imageWoof,
    imageMeow: datasets.imageMeow,
    imageSquawk: datasets.imageSquawk,
    imageFruit: datasets.imageFruit,
    imageYellow: datasets.imageYellow,
    imageIdc: datasets.imageIdc,
  };

  test.each(Object.keys(subsets) as (keyof typeof subsets)[])(
    "%s is ten classes of WordNet IDs",
    async (name) => {
      const folders = subsets[name].selection({}).folders!;
      expect(folders).toHaveLength(10);
      expect(new Set(folders).size).toBe(10);
      expect(folders.every((folder) => /^n\d{8}$/.test(folder))).toBe(true);
      await writeClasses(folders);
      const { train, test: held } = await loaded(name, { side: 8 });
      expect(train.name).toBe(name);
      expect(train.classFolders).toEqual(folders);
      expect(new Set(train.classNames).size).toBe(10);
      expect(classCounts(held)).toEqual(new Array(10).fill(1));
      expect(shades(train)).toEqual(near(Array.from({ length: 20 }, (_, i) => 20 * Math.floor(i / 2))));
      expect(train.mean).toEqual([0.485, 0.456, 0.406]);
    },
  );

  test("images are resized by their shorter side, and the middle is kept", async () => {
    await writeClasses(["n01", "n02"]);
    const { train } = await loaded("imageNet", { side: 8 });
    expect(train.imageShape).toEqual([8, 8, 3]);
    // 32×16 with white sides of 8: the middle 16×16 is all of one shade.
    expect(Math.max(...train.pixels.subarray(0, 192).filter((_, i) => i % 3 === 0))).toBeLessThan(60);
    expect((await loaded("imageNet")).train.imageShape).toEqual([128, 128, 3]);
  });

  test("only the folders of chosen classes are read, in the order asked for", async () => {
    await writeClasses(["n01", "n02", "n03"], "ILSVRC/Data/CLS-LOC");
    write("ILSVRC/Data/CLS-LOC/train/n02/3.JPEG", "no image");
    const { train, test: held } = await loaded("imageNet", { side: 8, classes: ["n03", "n01"] });
    expect(train.classNames).toEqual(["n03", "n01"]);
    expect(shades(train)).toEqual(near([40, 40, 0, 0]));
    expect([...held.labels]).toEqual([0, 1]);
    await expect(loaded("imageNet", { side: 8 })).rejects.toThrow("n02/3.JPEG: expected an image, got");
  });

  test("what is missing is named, and how to come by it", async () => {
    await expect(loaded("imageWoof")).rejects.toThrow(
      /imageWoof: expected train, val in one folder; looked in .*; ImageNet \(ILSVRC2012\) is to be had from https/,
    );
    await writeClasses(["n02096294", "n02093754"]);
    await expect(loaded("imageWoof")).rejects.toThrow(
      `imageWoof: expected a folder for each of its 10 classes below ${root}/train, got none for n02111889, n02088364`,
    );
    const lines: string[] = [];
    await dataCommand(
      { name: "imageNet", root, fetch: true, options: { side: 8 } },
      (line) => void lines.push(line),
    );
    expect(lines[0]).toMatch(/^imageNet is not downloaded: ImageNet \(ILSVRC2012\) is to be had from/);
    expect(lines[1]).toBe("imageNet: 2 classes, 4 + 2 images of 8×8×3");
  });
});

describe("classes of a folder", () => {
  test("are chosen and ordered by name, in train, in test, and where a fraction is held out", async () => {
    for (const [c, name] of ["cat", "dog", "eel"].entries()) {
      for (const i of [0, 1]) {
        for (const base of ["all", "split/train", "split/test"]) {
          write(`${base}/${name}/${i}.jpg`, await jpeg(50 * c + i));
        }
      }
    }
    const classes = ["eel", "cat"];
    for (const more of [{ root: join(root, "all"), testFraction: 0.5 }, { root: join(root, "split") }]) {
      const { train, test: held } = await loaded("folder", { classes, ...more });
      expect([train.classNames, held.classNames]).toEqual([classes, classes]);
      expect(shades(train).every((shade, i) => (train.labels[i] === 0) === shade > 90)).toBe(true);
    }
    await expect(loaded("folder", { root: join(root, "split"), classes: ["cat", "owl"] })).rejects.toThrow(
      `folder: expected a folder for each of its 2 classes below ${root}/split/train, got none for owl`,
    );
  });
});

describe("decoding", () => {
  const listed = () => layouts.classFolders({ name: "folder", root }).train;
  const selection = { channels: 3 } as const;

  test("images keep their order, lie one after another, and are counted", async () => {
    for (let i = 0; i < 150; i++) write(`c/${String(i).padStart(3, "0")}.jpg`, await jpeg(i));
    const counts: number[] = [];
    const images = await decodedImages(listed(), selection, (done) => counts.push(done));
    expect(images.map(({ pixels }) => pixels[0])).toEqual(near(Array.from({ length: 150 }, (_, i) => i)));
    const [first] = images;
    expect(images.map(({ pixels }) => pixels.byteOffset - first!.pixels.byteOffset)).toEqual(
      Array.from({ length: 150 }, (_, i) => 192 * i),
    );
    expect(images.every(({ pixels }) => pixels.buffer === first!.pixels.buffer)).toBe(true);
    expect(counts).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
  });

  test("an image that is cut off or damaged is an error with its path", async () => {
    const noise = Buffer.from(Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31 + 7 * i) % 256));
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    write("c/1.jpg", whole);
    write("c/2.jpg", whole.subarray(0, whole.length / 2));
    await expect(decodedImages(listed(), selection)).rejects.toThrow(
      /c\/2\.jpg: expected an image, got ".+"; repair or remove the file/,
    );
    const damaged = Buffer.from(readFileSync(join(root, "c/1.jpg")));
    damaged.fill(0xff, 1000, 1040);
    write("c/2.jpg", damaged);
    await expect(decodedImages(listed(), selection)).rejects.toThrow(
      /c\/2\.jpg: expected an image, got ".+"/,
    );
    write("c/2.jpg", "");
    await expect(decodedImages(listed(), selection)).rejects.toThrow(
      /c\/2\.jpg: expected an image, got ".+"/,
    );
  });

  test("more images than fit in memory are refused before they are read", async () => {
    write("c/1.jpg", await jpeg(5, { side: 64 }));
    const one = listed()[0]!;
    const many = new Array<typeof one>(1e6).fill(one);
    await expect(decodedImages(many, { ...selection, side: 1024 })).rejects.toThrow(
      /expected images that fit in memory, .* GiB, got 1000000 of 1024×1024×3, 2929\.7 GiB; choose a smaller side or fewer/,
    );
  });
});
