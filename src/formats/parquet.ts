import { parquetWriteBuffer } from "hyparquet-writer";

/** An encoded image file and its label. */
export interface LabeledFile {
  /** Its name, to be shown beside it. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly label: number;
}

/** Columns as Hugging Face's `datasets` writes images and labels: a struct of file bytes and path, and a number. */
const schema = [
  { name: "schema", num_children: 2 },
  { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
  { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
  {
    name: "path",
    type: "BYTE_ARRAY",
    converted_type: "UTF8",
    logical_type: { type: "STRING" },
    repetition_type: "OPTIONAL",
  },
  { name: "label", type: "INT64", repetition_type: "OPTIONAL" },
] as const;

/**
 * Writes labeled images as a parquet file, with columns `image` and `label`. Its metadata say that these are an image and
 * a class of these names, so that `load_dataset("parquet", …)` and the viewer of the Hugging Face hub show them as such.
 */
export function writeImageParquet(files: readonly LabeledFile[], classNames: readonly string[]): Uint8Array {
  const features = { image: { _type: "Image" }, label: { names: classNames, _type: "ClassLabel" } };
  const buffer = parquetWriteBuffer({
    schema: [...schema],
    columnData: [
      { name: "image", data: files.map(({ bytes, path }) => ({ bytes, path })) },
      { name: "label", data: files.map(({ label }) => BigInt(label)) },
    ],
    codec: "UNCOMPRESSED", // PNGs are compressed already
    statistics: false, // of bytes they would say nothing
    kvMetadata: [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    createdBy: "distillery",
  });
  return new Uint8Array(buffer);
}
