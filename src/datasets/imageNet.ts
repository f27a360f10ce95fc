import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Splits } from "./dataset.ts";
import {
  chosenClasses,
  type Distribution,
  type ImageClass,
  type ImageEntry,
  type ImageSelection,
  parsedOptions,
} from "./entry.ts";
import { imageSplits } from "./imageSplits.ts";
import type { ChannelStatistics } from "./statistics.ts";

/** Constants of torchvision's models, and of the reference implementations of DC, DM, MTT and NCFM. */
export const imageNetNormalization: ChannelStatistics = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const distribution: Distribution = {
  files: ["train", "val"],
  folders: ["", "imagenet", "ImageNet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC"],
  downloads: [],
  source:
    "ImageNet (ILSVRC2012) is to be had from https://image-net.org after accepting its terms; unpack it as " +
    "ROOT/train/WNID/*.JPEG and ROOT/val/WNID/*.JPEG, where the folders of the classes in use are enough",
};

const options = z.strictObject({
  side: z
    .int()
    .min(4)
    .default(128)
    .describe(
      "Height and width, pixels: the shorter side is resized to it and the middle kept. MTT and NCFM have 128, Minimax 256.",
    ),
});

/** Every class's WordNet ID and name, in label order, as in "n01440764 tench, n02102040 English_springer". */
function classesOf(text: string): ImageClass[] {
  return text.split(", ").map((one) => {
    const [folder, name] = one.split(" ") as [string, string];
    return { folder, name };
  });
}

/** Ten classes of ImageNet that have a name together. */
function tenClasses(name: string, kind: string, text: string) {
  const classes = classesOf(text);
  return {
    summary: `${kind}: 10 classes of ImageNet, about 13 000 + 500 color images, resized`,
    options,
    from: "images",
    layout: "imageNet",
    distribution,
    selection(given): ImageSelection {
      const { side } = parsedOptions(name, options, given);
      return { side, channels: 3, folders: classes.map(({ folder }) => folder) };
    },
    read({ train, test = [] }, given): Splits {
      parsedOptions(name, options, given);
      return imageSplits({ name, classes, by: imageNetNormalization }, train, test);
    },
  } satisfies ImageEntry;
}

// The order of classes is that of MTT's code (utils.py), which NCFM's has too.

/** Easily told classes (Howard 2019, fast.ai), in ImageNet's own split. */
export const imageNette = tenClasses(
  "imageNette",
  "ImageNette, things easily told apart",
  "n01440764 tench, n02102040 English_springer, n02979186 cassette_player, n03000684 chain_saw, n03028079 church, " +
    "n03394916 French_horn, n03417042 garbage_truck, n03425413 gas_pump, n03445777 golf_ball, n03888257 parachute",
);

/** Breeds of dogs (Howard 2019, fast.ai), in ImageNet's own split. */
export const imageWoof = tenClasses(
  "imageWoof",
  "ImageWoof, breeds of dogs",
  "n02096294 Australian_terrier, n02093754 Border_terrier, n02111889 Samoyed, n02088364 beagle, n02086240 Shih-Tzu, " +
    "n02089973 English_foxhound, n02087394 Rhodesian_ridgeback, n02115641 dingo, n02099601 golden_retriever, " +
    "n02105641 Old_English_sheepdog",
);

/** Cats (Cazenavette et al. 2022). */
export const imageMeow = tenClasses(
  "imageMeow",
  "ImageMeow, cats",
  "n02123045 tabby, n02123159 tiger_cat, n02123394 Persian_cat, n02123597 Siamese_cat, n02124075 Egyptian_cat, " +
    "n02129165 lion, n02129604 tiger, n02128925 jaguar, n02128757 snow_leopard, n02127052 lynx",
);

/** Birds (Cazenavette et al. 2022). */
export const imageSquawk = tenClasses(
  "imageSquawk",
  "ImageSquawk, birds",
  "n01806143 peacock, n02007558 flamingo, n01818515 macaw, n02051845 pelican, n02056570 king_penguin, " +
    "n01614925 bald_eagle, n01843383 toucan, n01518878 ostrich, n01860187 black_swan, " +
    "n01819313 sulphur-crested_cockatoo",
);

/** Fruits (Cazenavette et al. 2022). */
export const imageFruit = tenClasses(
  "imageFruit",
  "ImageFruit, fruits",
  "n07753275 pineapple, n07753592 banana, n07745940 strawberry, n07747607 orange, n07749582 lemon, " +
    "n07768694 pomegranate, n07753113 fig, n07720875 bell_pepper, n07718472 cucumber, n07742313 Granny_Smith",
);

/** Yellow things (Cazenavette et al. 2022). */
export const imageYellow = tenClasses(
  "imageYellow",
  "ImageYellow, yellow things",
  "n02206856 bee, n12057211 yellow_lady's_slipper, n07753592 banana, n07749582 lemon, n12144580 corn, " +
    "n04146614 school_bus, n03530642 honeycomb, n02129165 lion, n01773157 black_and_gold_garden_spider, " +
    "n01531178 goldfinch",
);

/** The first ten of the hundred classes of Tian et al. 2020, as in IDC (Kim et al. 2022), which gave it this name. */
export const imageIdc = tenClasses(
  "imageIdc",
  "ImageIDC, the ten classes of IDC",
  "n02869837 bonnet, n01749939 green_mamba, n02488291 langur, n02107142 Doberman, n13037406 gyromitra, n02091831 Saluki, " +
    "n04517823 vacuum, n04589890 window_screen, n03062245 cocktail_shaker, n01773797 garden_spider",
);

const ownOptions = options.extend({
  classes: chosenClasses.describe(
    "WordNet IDs of the classes to read, that is, names of their folders, in label order. Default: all there are, sorted.",
  ),
});

/** Classes of ImageNet (Russakovsky et al. 2015) of one's own choice. */
export const imageNet = {
  summary: "ImageNet, the classes of your choice: about 1300 + 50 color images of each, resized",
  options: ownOptions,
  from: "images",
  layout: "imageNet",
  distribution,
  selection(given): ImageSelection {
    const { side, classes } = parsedOptions("imageNet", ownOptions, given);
    return { side, channels: 3, ...(classes && { folders: classes }) };
  },
  read({ train, test = [], classes }, given): Splits {
    parsedOptions("imageNet", ownOptions, given);
    check(classes !== undefined, () => "imageNet: expected the names of its classes, got images alone");
    return imageSplits({ name: "imageNet", classes, by: imageNetNormalization }, train, test);
  },
} satisfies ImageEntry;
