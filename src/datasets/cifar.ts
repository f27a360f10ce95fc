import { z } from "zod";
import { check, InputError } from "../core/errors.ts";
import { checkedDataset, type Dataset, type Splits } from "./dataset.ts";
import { type FileEntry, parsedOptions, type SourceFile } from "./entry.ts";
import { gunzipped } from "./gzip.ts";
import type { ChannelStatistics } from "./statistics.ts";

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const IMAGE = PLANE * CHANNELS;

/**
 * Constants of the reference implementations of DC, DM and MTT. The deviations are means of per-image deviations, which
 * are smaller than those over all pixels (.2470 .2435 .2616).
 */
const cifar10Normalization: ChannelStatistics = {
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.2023, 0.1994, 0.201],
};
const cifar100Normalization: ChannelStatistics = {
  mean: [0.5071, 0.4866, 0.4409],
  std: [0.2673, 0.2564, 0.2762],
};

const cifar10ClassNames = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");

const coarseClassNames = (
  "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices " +
  "household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes " +
  "large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees " +
  "vehicles_1 vehicles_2"
).split(" ");

const fineClassNames = (
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle " +
  "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant " +
  "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man " +
  "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree " +
  "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail " +
  "snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout " +
  "tulip turtle wardrobe whale willow_tree wolf woman worm"
).split(" ");

/** How a record begins: how many label bytes, and which of them is the label. */
interface RecordLabel {
  readonly bytes: number;
  readonly position: number;
}

/**
 * Images of files in CIFAR's binary version: records of label bytes, then the red, green and blue plane, each row-major.
 *
 * @throws InputError where a file is not a whole number of records, files differ in it, or a label is out of range.
 */
function images(
  like: Pick<Dataset, "name" | "classNames"> & ChannelStatistics,
  label: RecordLabel,
  stored: readonly SourceFile[],
): Dataset {
  // No record begins as a gzip file does: there are fewer than 31 coarse classes.
  const files = stored.map(gunzipped);
  const record = label.bytes + IMAGE;
  const counts = files.map((file) => recordsOf(file, record));
  counts.forEach((found, f) =>
    check(
      found === counts[0],
      () =>
        `${files[f]!.path}: expected ${counts[0]} images as in ${files[0]!.path}, got ${found}; ` +
        "one of them is cut off: delete both and fetch them again",
    ),
  );
  const count = counts.length * counts[0]!;
  const pixels = new Uint8Array(count * IMAGE);
  const labels = new Int32Array(count);
  let i = 0;
  for (const { path, bytes } of files) {
    for (let from = 0; from < bytes.length; from += record, i++) {
      labels[i] = bytes[from + label.position]!;
      if (labels[i]! >= like.classNames.length) {
        throw new InputError(
          `${path}: label of record ${from / record}: expected 0 to ${like.classNames.length - 1}, got ${labels[i]}; ` +
            "the file is damaged or of another data set",
        );
      }
      interleave(bytes, from + label.bytes, pixels, i * IMAGE);
    }
  }
  return checkedDataset({ ...like, imageShape: [SIDE, SIDE, CHANNELS], pixels, labels });
}

function recordsOf({ path, bytes }: SourceFile, record: number): number {
  const records = bytes.length / record;
  check(
    records > 0 && Number.isInteger(records),
    () =>
      `${path}: expected a multiple of ${record} bytes (one record per image), got ${bytes.length}: ` +
      `record ${Math.floor(records)} ends after ${bytes.length % record} bytes; ` +
      "the file is cut off or not CIFAR's binary version: delete it and fetch it again",
  );
  return records;
}

/** Planes [channels, positions] at `from` to [positions, channels] at `to`. */
function interleave(planes: Uint8Array, from: number, pixels: Uint8Array, to: number): void {
  for (let p = 0; p < PLANE; p++) {
    for (let c = 0; c < CHANNELS; c++) pixels[to + p * CHANNELS + c] = planes[from + c * PLANE + p]!;
  }
}

/** CIFAR-10 (Krizhevsky 2009), binary version: one label byte per record. */
export const cifar10 = {
  summary: "CIFAR-10: animals and vehicles, 50 000 + 10 000 color images of 32×32",
  options: z.strictObject({}),
  from: "files",
  distribution: {
    files: [...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), "test_batch.bin"],
    folders: ["cifar-10-batches-bin", ""],
    downloads: [
      {
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        md5: "c32a1d4ab5d03f1284b67883e8d87530",
      },
    ],
  },
  read(files, options): Splits {
    parsedOptions("cifar10", cifar10.options, options);
    const like = { name: "cifar10", classNames: cifar10ClassNames, ...cifar10Normalization };
    const label = { bytes: 1, position: 0 };
    return { train: images(like, label, files.slice(0, -1)), test: images(like, label, files.slice(-1)) };
  },
} satisfies FileEntry;

const normalizations = { cifar10: cifar10Normalization, cifar100: cifar100Normalization };

/** CIFAR-100 (Krizhevsky 2009), binary version: a coarse, then a fine label byte per record. */
export const cifar100 = {
  summary: "CIFAR-100: 100 kinds of things in 20 groups, 50 000 + 10 000 color images of 32×32",
  options: z.strictObject({
    labels: z.enum(["fine", "coarse"]).default("fine").describe("The 100 classes, or their 20 groups."),
    normalization: z
      .enum(["cifar100", "cifar10"])
      .default("cifar100")
      .describe(
        "Whose mean and deviation normalize: its own, as in DC, DSA, DM and IDM, or those of CIFAR-10, as the code of " +
          "DCC, MTT and NCFM does.",
      ),
  }),
  from: "files",
  distribution: {
    files: ["train.bin", "test.bin"],
    folders: ["cifar-100-binary", ""],
    downloads: [
      {
        url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        md5: "03b5dce01913d631647c71ecec9e9cb8",
      },
    ],
  },
  read([train, test], options): Splits {
    const chosen = parsedOptions("cifar100", cifar100.options, options);
    const classNames = chosen.labels === "fine" ? fineClassNames : coarseClassNames;
    const like = { name: "cifar100", classNames, ...normalizations[chosen.normalization] };
    const label = { bytes: 2, position: chosen.labels === "fine" ? 1 : 0 };
    return { train: images(like, label, [train!]), test: images(like, label, [test!]) };
  },
} satisfies FileEntry;
