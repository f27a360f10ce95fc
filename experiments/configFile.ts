import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, nearest } from "../src/core/errors.ts";

/** Configs that come along. */
const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "configs");

/**
 * The file that a path stands for: the file itself, or else one of the configs that come along, by its name or by its path
 * in the repository, as "dm-mnist" or "configs/dm-mnist.yaml".
 *
 * @throws InputError that lists those there are, and suggests the nearest.
 */
export function configFile(path: string): string {
  if (existsSync(path)) return path;
  const name = path.replace(/^configs\//, "").replace(/\.ya?ml$/, "");
  const known = configNames();
  if (known.includes(name)) return join(folder, `${name}.yaml`);
  const near = nearest(name, known);
  const hint = near === undefined ? "" : `did you mean ${near}? `;
  throw new InputError(
    `${path}: expected a config file, found none; ${hint}these come along: ${known.join(", ")}`,
  );
}

/** Names of the configs that come along: their paths below configs/, without extension; cells to reproduce are no configs. */
function configNames(): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml") && !file.startsWith("published"))
    .map((file) => file.replaceAll("\\", "/").replace(/\.yaml$/, ""))
    .sort();
}
