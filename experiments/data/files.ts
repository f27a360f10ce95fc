import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.ts";
import type { DatasetName, Distribution, SourceFile } from "../../src/datasets/index.ts";

/** Paths of a distribution's files below `root`, in its order, or undefined where no folder has them all. */
export function located(distribution: Distribution, root: string): string[] | undefined {
  for (const folder of distribution.folders) {
    const paths = distribution.files.map((file) => storedAs(join(root, folder, file)));
    if (paths.every((path) => path !== undefined)) return paths;
  }
  return undefined;
}

/** The path itself or its gzipped twin, whichever exists. */
function storedAs(path: string): string | undefined {
  return [path, `${path}.gz`].find((candidate) => existsSync(candidate));
}

/**
 * A distribution's files below `root`, in its order.
 *
 * @throws InputError naming the folders looked in, what each lacks, and the command that fetches it.
 */
export async function readFiles(
  name: DatasetName,
  distribution: Distribution,
  root: string,
): Promise<SourceFile[]> {
  const paths = locatedOrThrow(name, distribution, root);
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}

/**
 * Paths of a distribution's files below `root`, in its order.
 *
 * @throws InputError naming the folders looked in, what each lacks, and how to come by it.
 */
export function locatedOrThrow(name: DatasetName, distribution: Distribution, root: string): string[] {
  const paths = located(distribution, root);
  if (paths === undefined) throw new InputError(missing(name, distribution, root));
  return paths;
}

function missing(
  name: DatasetName,
  { folders, files, downloads, source }: Distribution,
  root: string,
): string {
  const looked = folders.map((folder) => {
    const path = join(root, folder);
    if (!existsSync(path)) return `${path} (does not exist)`;
    const absent = files.filter((file) => storedAs(join(path, file)) === undefined);
    return `${path} (without ${absent.length === files.length ? "any of them" : absent.join(", ")})`;
  });
  const areFiles = files.every((file) => file.includes("."));
  const remedy =
    downloads.length > 0 ? `run: distillery data ${name} --fetch --root ${root}` : (source ?? "put it there");
  return (
    `${name}: expected ${files.join(", ")} in one folder${areFiles ? ", plain or as .gz" : ""}; ` +
    `looked in ${looked.join(", ")}; ${remedy}`
  );
}
