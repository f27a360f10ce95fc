import { z } from "zod";
import { check } from "../core/errors.ts";
import { checkedDataset, type Dataset, type Splits } from "./dataset.ts";
import { type Distribution, type FileEntry, parsedOptions, type SourceFile } from "./entry.ts";
import { idx } from "./idx.ts";

type Constants = Pick<Dataset, "name" | "classNames" | "mean" | "std">;

const fileNames = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** @param checksums in the order of the files. */
function distribution(address: string, folder: string, checksums: readonly string[]): Distribution {
  return {
    files: fileNames,
    folders: [`${folder}/raw`, folder, ""],
    downloads: fileNames.map((file, i) => ({ url: `${address}${file}.gz`, md5: checksums[i]! })),
  };
}

/** @throws InputError where there are not as many labels as images. */
function images(like: Constants, imageFile: SourceFile, labelFile: SourceFile): Dataset {
  const { shape, values: pixels } = idx(imageFile, 3); // [n, height, width]
  const [count, height, width] = shape as [number, number, number];
  const labels = Int32Array.from(idx(labelFile, 1).values);
  check(
    labels.length === count,
    () =>
      `${labelFile.path}: expected ${count} labels, one per image of ${imageFile.path}, got ${labels.length}`,
  );
  return checkedDataset({ ...like, imageShape: [height, width, 1], pixels, labels });
}

function splits(like: Constants, files: readonly SourceFile[]): Splits {
  const [trainImages, trainLabels, testImages, testLabels] = files as [
    SourceFile,
    SourceFile,
    SourceFile,
    SourceFile,
  ];
  return { train: images(like, trainImages, trainLabels), test: images(like, testImages, testLabels) };
}

/** MNIST (LeCun, Cortes, Burges): handwritten digits. */
export const mnist = {
  summary: "MNIST: handwritten digits, 60 000 + 10 000 gray images of 28×28",
  options: z.strictObject({}),
  from: "files",
  distribution: distribution("https://ossci-datasets.s3.amazonaws.com/mnist/", "MNIST", [
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
  ]),
  read(files, options): Splits {
    parsedOptions("mnist", mnist.options, options);
    const classNames = "0 1 2 3 4 5 6 7 8 9".split(" ");
    return splits({ name: "mnist", classNames, mean: [0.1307], std: [0.3081] }, files);
  },
} satisfies FileEntry;

/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): articles of clothing, in MNIST's format. */
export const fashionMnist = {
  summary: "Fashion-MNIST: articles of clothing, 60 000 + 10 000 gray images of 28×28",
  options: z.strictObject({}),
  from: "files",
  distribution: distribution("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "FashionMNIST", [
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
  ]),
  read(files, options): Splits {
    parsedOptions("fashionMnist", fashionMnist.options, options);
    const classNames = "T-shirt trouser pullover dress coat sandal shirt sneaker bag boot".split(" ");
    return splits({ name: "fashionMnist", classNames, mean: [0.2861], std: [0.353] }, files);
  },
} satisfies FileEntry;
