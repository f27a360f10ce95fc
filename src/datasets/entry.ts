import { z } from "zod";
import { InputError } from "../core/errors.ts";
import type { ImageShape } from "../core/shape.ts";
import type { Splits } from "./dataset.ts";

/** A file's content, and the path to name it by in messages. */
export interface SourceFile {
  /** Names it in messages. */
  readonly path: string;
  /** Its whole content. */
  readonly bytes: Uint8Array;
}

/** One image of a class, decoded. */
export interface DecodedImage {
  /** Names it in messages. */
  readonly path: string;
  /** Class that it belongs to. */
  readonly className: string;
  /** Its height, width and channels. */
  readonly shape: ImageShape;
  /** [height, width, channels]. */
  readonly pixels: Uint8Array;
}

/** A file of the official distribution. Its checksum is the publisher's. */
export interface Download {
  /** Official address. */
  readonly url: string;
  /** MD5 of the file, in hexadecimal. */
  readonly md5: string;
}

/** The official files of a data set, and where they usually lie. */
export interface Distribution {
  /** Names of the files to read, in the order in which the reader receives them; each may be gzipped, as NAME.gz. */
  readonly files: readonly string[];
  /** Folders below the root that may hold them, "" for the root itself. The first is where a download goes. */
  readonly folders: readonly string[];
  /** A .tar.gz or .zip is unpacked below the root; any other file is kept as it is. None where it cannot be downloaded so. */
  readonly downloads: readonly Download[];
  /** How to come by the files, where they cannot be downloaded without further ado. */
  readonly source?: string;
}

interface Described {
  /** One sentence: what the images show. */
  readonly summary: string;
  /** What can be chosen about the data set, strict. */
  readonly options: z.ZodObject;
}

/** Read from the files of an official distribution. */
export interface FileEntry extends Described {
  /** What it is read from: official files. */
  readonly from: "files";
  /** The files, and where they are to be had. */
  readonly distribution: Distribution;
  /** The splits in the files. @param files in the order of `distribution.files`. */
  read(files: readonly SourceFile[], options: unknown): Splits;
}

/** A class of a data set of single images. */
export interface ImageClass {
  /** Name of the folder with its images. */
  readonly folder: string;
  /** What it is called. */
  readonly name: string;
}

/** Which images of a folder to read, and how. */
export interface ImageSelection {
  /** Folders of the classes, in label order; all there are where it is absent. */
  readonly folders?: readonly string[];
  /** Height and width, pixels; as stored where it is absent. */
  readonly side?: number;
  /** 3 for color, 1 for gray. */
  readonly channels: 1 | 3;
}

/** The images of a folder, decoded. */
export interface FolderImages {
  /** Images of the training folder; without a test folder, all images. */
  readonly train: readonly DecodedImage[];
  /** Images of the test folder. */
  readonly test?: readonly DecodedImage[];
  /** The classes in label order, where the folder says which they are. */
  readonly classes?: readonly ImageClass[];
}

/** Put together from single images, which its user decodes; the options say how. */
export interface ImageEntry extends Described {
  /** What it is read from: single images. */
  readonly from: "images";
  /**
   * Where the images lie: classFolders, in train/CLASS and test/CLASS or val/CLASS, or all in CLASS; imageNet, in
   * train/CLASS and val/CLASS; tinyImageNet, in train/CLASS/images and val/images, whose classes a file tells.
   */
  readonly layout: "classFolders" | "imageNet" | "tinyImageNet";
  /** What has to be below the root and where it is to be had; absent for one's own images, which are the root. */
  readonly distribution?: Distribution;
  /** Which images these options ask for. */
  selection(options: unknown): ImageSelection;
  /** The splits that the images make. */
  read(images: FolderImages, options: unknown): Splits;
}

/** Computed from its options alone. */
export interface GeneratedEntry extends Described {
  /** What it is read from: options alone. */
  readonly from: "options";
  /** The splits of these options. */
  read(options: unknown): Splits;
}

/** One data set of the table: the options it takes, what it is read from, and how. */
export type DatasetEntry = FileEntry | ImageEntry | GeneratedEntry;

/** Which classes to take of a data set of single images. */
export const chosenClasses = z
  .array(z.string().min(1))
  .min(2)
  .refine((names) => new Set(names).size === names.length, "expected every class once")
  .optional();

/** Options of data sets that are folders of images. */
export const imageOptions = z.strictObject({
  classes: chosenClasses.describe(
    "Folders of the classes to read, in label order. Default: all there are, sorted as text.",
  ),
  side: z
    .int()
    .min(4)
    .optional()
    .describe(
      "Height and width, pixels: the shorter side is resized to it and the middle kept. Default: as stored.",
    ),
  channels: z
    .union([z.literal(3), z.literal(1)])
    .default(3)
    .describe("3 for color, 1 for gray."),
  testFraction: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe("Fraction of each class held out for testing, where there is no folder of test images."),
  splitSeed: z
    .int()
    .min(0)
    .default(42)
    .describe("Seed of that split; it does not change with the run's seed."),
});
/** Options of a folder of images: classes, size, channels, and how test images are held out. */
export type ImageOptions = z.output<typeof imageOptions>;

/**
 * The options that `value` states, with defaults for the rest.
 *
 * @throws InputError naming every wrong option.
 */
export function parsedOptions<S extends z.ZodObject>(where: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const known = Object.keys(schema.shape).join(", ") || "none";
  const wrong = result.error.issues.map(({ path, message }) => [where, ...path].join(".") + `: ${message}`);
  throw new InputError(`${wrong.join("; ")} (options: ${known})`);
}
