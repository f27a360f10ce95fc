import type { Argv } from "yargs";
import { InputError } from "../../src/core/errors.ts";
import { type ExportFormat, exportFormats, exportRun } from "../commands/export.ts";
import { readRun } from "../runFolder.ts";
import { engineFor, engineOption, print, threadsOption } from "./shared.ts";

export const exportCommand = (cli: Argv): Argv =>
  cli.command(
    "export <run>",
    "Write a run's images as safetensors, npz, PNG and parquet, with all that is needed to train on them elsewhere",
    (command) =>
      command
        .positional("run", {
          type: "string",
          demandOption: true,
          describe: "Folder, as results/runs/NAME/seed-0",
        })
        .option("out", { type: "string", describe: "Folder to write; by default RUN/export" })
        .option("formats", {
          type: "string",
          default: exportFormats.join(","),
          describe: "Some of them, with commas between",
          coerce: parsedFormats,
        })
        .option("license", { type: "string", describe: "Under which they may be used, as cc-by-4.0" })
        .option("check-png", {
          type: "boolean",
          default: false,
          describe: "Train networks on the 8-bit images too, and say both accuracies",
        })
        .option("networks", { type: "number", default: 2, describe: "How many, for that" })
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("force", { type: "boolean", default: false, describe: "Replace an earlier export" }),
    async ({ run: folder, "check-png": check, networks, engine: asked, threads, ...options }) => {
      const run = readRun(folder);
      const engine = check ? await engineFor(asked ?? run.experiment.engine, threads) : undefined;
      const checkPng = engine && { engine, networks };
      const { path, files, card } = await exportRun(run, { ...options, checkPng });
      print(path);
      for (const { file, count, bytes } of listed(files)) {
        print(`  ${file.padEnd(30)}${sizeText(bytes).padStart(10)}${count > 1 ? `, ${count} files` : ""}`);
      }
      print(card.png!.note);
    },
  );

function parsedFormats(text: string): ExportFormat[] {
  const formats = text.split(",");
  const wrong = formats.find((name) => !exportFormats.includes(name as ExportFormat));
  if (wrong !== undefined) {
    throw new InputError(
      `--formats: expected some of ${exportFormats.join(",")}, got ${JSON.stringify(wrong)}`,
    );
  }
  return formats as ExportFormat[];
}

/** Files and folders of the export, with what they hold in all. */
function listed(files: readonly { readonly path: string; readonly bytes: number }[]) {
  const totals = new Map<string, { file: string; count: number; bytes: number }>();
  for (const { path, bytes } of files) {
    const [top, ...rest] = path.split("/");
    const file = rest.length === 0 ? top! : `${top}/`;
    const sum = totals.get(file) ?? { file, count: 0, bytes: 0 };
    totals.set(file, { file, count: sum.count + 1, bytes: sum.bytes + bytes });
  }
  return [...totals.values()];
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
