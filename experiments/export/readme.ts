import { stringify } from "yaml";
import type { Card, ExpectedAccuracy } from "./card.ts";

/** The parquet file's name, as the Hugging Face hub has it. */
export const PARQUET = "train-00000-of-00001.parquet";

/** What is written of a set, beside its card. */
export interface Written {
  readonly card: Card;
  readonly images: number;
  readonly parquetBytes: number;
  /** Of the PNG files in it. */
  readonly imageBytes: number;
  /** Names of the files and folders beside it. */
  readonly beside: readonly string[];
}

/** README.md: YAML that the Hugging Face hub and `load_dataset` read, and a page for people. */
export function readme(written: Written): string {
  return `---\n${stringify(frontMatter(written), { lineWidth: 0 })}---\n\n${page(written)}`;
}

function frontMatter({ card, images, parquetBytes, imageBytes }: Written): object {
  const names = Object.fromEntries(card.classNames.map((name, label) => [String(label), name]));
  return {
    license: card.license,
    pretty_name: titleOf(card),
    task_categories: ["image-classification"],
    tags: ["dataset-distillation", "synthetic"],
    dataset_info: {
      features: [
        { name: "image", dtype: "image" },
        { name: "label", dtype: { class_label: { names } } },
      ],
      splits: [{ name: "train", num_bytes: imageBytes, num_examples: images }],
      download_size: parquetBytes,
      dataset_size: imageBytes,
    },
    configs: [{ config_name: "default", data_files: [{ split: "train", path: PARQUET }] }],
  };
}

function titleOf({ dataset, method }: Card): string {
  return `${dataset!.name} distilled by ${method}`;
}

/** One line for each way to load, by the file it needs. */
const loads = {
  "data.safetensors": 'from safetensors.torch import load_file; data = load_file("data.safetensors")',
  "data.npz":
    "from load import in_space, load; arrays, card = load()\n" +
    "test = in_space(pixels, arrays, card)  # of test images: pixels, black 0 and white 1, [n, channels, height, width]",
  png: 'from torchvision.datasets import ImageFolder; data = ImageFolder("png/train")  # 8 bits',
  [PARQUET]: `from datasets import load_dataset; data = load_dataset("parquet", data_files="${PARQUET}")  # 8 bits`,
} as const;

function page(written: Written): string {
  const { card, images, beside } = written;
  const { dataset, evaluation, expected, partition, png } = card;
  const imbalance = dataset!.imbalance === 1 ? "" : ` with a long tail of ${String(dataset!.imbalance)}:1`;
  const facts = {
    "distilled from": `${dataset!.name}${imbalance}, ${dataset!.trainingImages ?? "?"} training images`,
    method: [card.method, ...card.plugins!].join(" + "),
    "matching network": card.network!.name,
    seed: card.seed,
    "made by": `distillery ${card.version}, commit ${card.commit}`,
    "space of `images`": card.spaceNote,
    ...(partition && { "`mosaics`": partition.decoding }),
  };
  const known = Object.entries(loads).filter(([file]) => file === PARQUET || beside.includes(file));
  return `# ${titleOf(card)}

${images} synthetic images of ${card.classNames.length} classes, to train on instead of the real ones.${mosaicNote(written)}

| | |
| --- | --- |
${Object.entries(facts)
  .map(([name, value]) => `| ${name} | ${String(value)} |`)
  .join("\n")}

${expected!.length === 0 ? "No network has been trained on them yet." : accuracyTable(expected!)}

Protocol \`${evaluation!.protocol}\`: ${String(evaluation!.description)}
\`npx distillery evaluate FOLDER\` trains and tests networks by it. \`card.json\` has every option, the class names in label
order, means and deviations.

## Loading

\`\`\`python
${known.map(([, line]) => line).join("\n")}
\`\`\`

${png!.note}
`;
}

/** How many images these count as where they were learned as mosaics. */
function mosaicNote({ card, images }: Written): string {
  if (!card.partition) return "";
  const { factor } = card.partition;
  const mosaics = images / factor ** 2;
  return (
    `\nThey were learned, and are counted, as ${mosaics} mosaics of ${factor} × ${factor} images, ` +
    `${mosaics / card.classNames.length} of each class.`
  );
}

function accuracyTable(expected: readonly ExpectedAccuracy[]): string {
  const percent = (fraction: number): string => (100 * fraction).toFixed(1);
  const rows = expected.map(({ network, protocol, accuracy, std, networks }) => {
    const spread = std === null ? "" : ` ± ${percent(std)}`;
    return `| ${network} | ${protocol} | ${percent(accuracy)}${spread} | ${networks} |`;
  });
  return [
    "| trained network | protocol | test accuracy, % | networks |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
