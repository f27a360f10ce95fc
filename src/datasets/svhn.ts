import { z } from "zod";
import { check } from "../core/errors.ts";
import { checkedDataset, type Dataset, type Splits } from "./dataset.ts";
import { type FileEntry, parsedOptions, type SourceFile } from "./entry.ts";
import { gunzipped } from "./gzip.ts";
import { type MatArray, matArrays } from "./mat.ts";

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const IMAGE = PLANE * CHANNELS;

/** What the file has for the digit 0. */
const ZERO = 10;

/** Constants of the reference implementations of DC, DSA and DM. */
const like = {
  name: "svhn",
  classNames: "0 1 2 3 4 5 6 7 8 9".split(" "),
  mean: [0.4377, 0.4438, 0.4728],
  std: [0.198, 0.201, 0.197],
};

/** @throws InputError where X is not [32, 32, 3, n], y has not n labels, or a label is none of 1 … 10. */
function images(stored: SourceFile): Dataset {
  const file = gunzipped(stored);
  const [x, y] = matArrays(file, ["X", "y"]) as [MatArray, MatArray];
  const [height, width, channels, count = 1] = x.shape; // MATLAB leaves out trailing axes of length 1
  check(
    height === SIDE && width === SIDE && channels === CHANNELS && x.shape.length <= 4,
    () =>
      `${file.path}: X: expected images of 32×32×3, one after another (32×32×3×n), got ${x.shape.join("×")}; ` +
      "the cropped digits are meant, in train_32x32.mat and test_32x32.mat",
  );
  const { values } = x;
  check(values instanceof Uint8Array, () => `${file.path}: X: expected bytes, got other numbers`);
  check(
    y.values.length === count,
    () => `${file.path}: y: expected ${count} labels, one per image of X, got ${y.values.length}`,
  );
  return checkedDataset({
    ...like,
    imageShape: [SIDE, SIDE, CHANNELS],
    pixels: channelsLast(values, count),
    labels: Int32Array.from(y.values, (label, i) => digitOf(file.path, label, i)),
  });
}

function digitOf(path: string, label: number, i: number): number {
  check(
    Number.isInteger(label) && label >= 1 && label <= ZERO,
    () => `${path}: y: label of image ${i}: expected 1 to 10, where 10 is the digit 0, got ${label}`,
  );
  return label % ZERO;
}

/** [32, 32, 3, n] with the first axis running fastest, as [n, 32, 32, 3] with the last one doing so. */
function channelsLast(values: Uint8Array, count: number): Uint8Array {
  const pixels = new Uint8Array(count * IMAGE);
  for (let from = 0, to = 0; from < pixels.length; from += IMAGE) {
    for (let p = 0; p < PLANE; p++) {
      const at = from + Math.floor(p / SIDE) + SIDE * (p % SIDE);
      for (let channel = 0; channel < CHANNELS; channel++) pixels[to++] = values[at + PLANE * channel]!;
    }
  }
  return pixels;
}

/** Street View House Numbers (Netzer et al. 2011), cropped digits; of its training images those of `train` alone. */
export const svhn = {
  summary: "SVHN: digits of house numbers, 73 257 + 26 032 color images of 32×32",
  options: z.strictObject({}),
  from: "files",
  distribution: {
    files: ["train_32x32.mat", "test_32x32.mat"],
    folders: ["SVHN", "svhn", ""],
    downloads: [
      {
        url: "http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
        md5: "e26dedcc434d2e4c54c9b2d4a06d8373",
      },
      {
        url: "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
        md5: "eb5a983be6a315427106f1b164d9cef3",
      },
    ],
  },
  read([train, test], options): Splits {
    parsedOptions("svhn", svhn.options, options);
    return { train: images(train!), test: images(test!) };
  },
} satisfies FileEntry;
