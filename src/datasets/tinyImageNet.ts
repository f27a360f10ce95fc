import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Splits } from "./dataset.ts";
import { chosenClasses, type ImageEntry, type ImageSelection, parsedOptions } from "./entry.ts";
import { imageNetNormalization } from "./imageNet.ts";
import { imageSplits } from "./imageSplits.ts";

const options = z.strictObject({
  classes: chosenClasses.describe(
    "WordNet IDs of the classes to read, in label order. Default: all 200, sorted, as torchvision's ImageFolder has them.",
  ),
  side: z
    .int()
    .min(4)
    .optional()
    .describe("Height and width to resize the images to, pixels. Default: as stored, 64."),
});

/** Tiny ImageNet (Stanford CS231n 2015). Tested on its validation images: the labels of its test images are not public. */
export const tinyImageNet = {
  summary: "Tiny ImageNet: 200 classes of ImageNet, 100 000 + 10 000 color images of 64×64",
  options,
  from: "images",
  layout: "tinyImageNet",
  distribution: {
    files: ["wnids.txt", "train", "val"],
    folders: ["tiny-imagenet-200", ""],
    downloads: [
      {
        url: "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        md5: "90528d7ca1a48142e341f4ef8d21d0de",
      },
    ],
  },
  selection(given): ImageSelection {
    const { classes, side } = parsedOptions("tinyImageNet", options, given);
    return { channels: 3, ...(classes && { folders: classes }), ...(side !== undefined && { side }) };
  },
  read({ train, test, classes }, given): Splits {
    parsedOptions("tinyImageNet", options, given);
    check(
      test !== undefined && classes !== undefined,
      () => "tinyImageNet: expected its classes and validation images, got training images alone",
    );
    return imageSplits({ name: "tinyImageNet", classes, by: imageNetNormalization }, train, test);
  },
} satisfies ImageEntry;
