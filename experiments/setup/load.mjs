// @ts-check
import { existsSync } from "node:fs";

/**
 * Imports a module of experiments/. In the repository it is TypeScript, which Node 20 cannot run by itself: tsx strips the
 * types as files are imported. The package carries it compiled, in dist/.
 *
 * @param {string} name path below experiments/, without extension.
 */
export async function load(name) {
  const at = (/** @type {string} */ path) => new URL(path, import.meta.url);
  if (existsSync(at(`../${name}.ts`))) {
    await stripTypes();
    return import(at(`../${name}.ts`).href);
  }
  const compiled = [at(`../${name}.js`), at(`../../dist/experiments/${name}.js`)];
  return import((compiled.find((file) => existsSync(file)) ?? compiled[1]).href);
}

async function stripTypes() {
  try {
    const { register } = await import("tsx/esm/api");
    register();
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error("distillery: packages are not installed; run `npm run setup` in the project folder first");
    process.exit(1);
  }
}
