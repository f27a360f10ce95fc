import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { expect, test } from "@jest/globals";

/** Folders in import order: a file imports from its own folder and from earlier rows only. */
const layers = [
  ["src/core"],
  ["src/theory"],
  ["src/engines"],
  ["kernels"],
  ["src/optimizers", "src/networks", "src/losses", "src/datasets", "src/formats"],
  ["src/training"],
  ["src/objectives"],
  ["src/plugins", "src/evaluation"],
  ["src/coresets", "src/generation"],
  ["src/distillers"],
  ["src/runs"],
  ["src/index.ts"],
  ["experiments"],
];

/** Node modules that only compute. */
const computing = ["node:buffer", "node:zlib"];
/** What an engine needs to find and load its native code. */
const loading = ["node:fs", "node:module", "node:os", "node:path", "node:url"];

const root = join(import.meta.dirname, "..");
const sources = ["src", "kernels", "experiments"]
  .flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: "utf8" }).map((file) => join(top, file)),
  )
  .filter((path) => /(?<!\.d)\.m?ts$/.test(path))
  .map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(?<=^|\s)\/\/.*$/gm, "");
    const specifiers = [
      ...code.matchAll(/(?:\bfrom|^import|\bimport\(|\brequire\()\s*["'`]([^"'`]+)["'`]/gm),
    ];
    const imports = specifiers.map((match) => match[1]!);
    return { path, code, imports, lines: text.trimEnd().split("\n").length, folder: folderOf(path) };
  });

function folderOf(path: string): string | undefined {
  return layers.flat().find((folder) => path === folder || path.startsWith(`${folder}/`));
}

const rank = (folder: string | undefined): number => layers.findIndex((row) => row.includes(folder ?? ""));

/** Lines "path: what" of every source that the rule finds something in. */
function violations(rule: (source: (typeof sources)[number]) => string[]): string[] {
  return sources.flatMap((source) => rule(source).map((what) => `${source.path}: ${what}`));
}

const uses = (code: string, pattern: RegExp): string[] =>
  [...code.matchAll(pattern)].map((match) => match[0]);

test("there are sources to look at, each in a folder that has its place in the import order", () => {
  expect(sources.length).toBeGreaterThan(10);
  expect(violations(({ folder }) => (folder === undefined ? ["not in `layers`"] : []))).toEqual([]);
});

test("a file imports from its own folder and from folders to its left", () => {
  const wrong = violations(({ path, imports, folder }) =>
    imports.filter((name) => {
      if (!name.startsWith(".")) return false;
      const target = join(dirname(path), name);
      if (target.startsWith("native/")) return folder !== "src/engines" && folder !== "experiments";
      const other = folderOf(target);
      return other === undefined || (other !== folder && rank(other) >= rank(folder));
    }),
  );
  expect(wrong).toEqual([]);
});

test("only experiments touches the process, the console, the clock, files and other machines", () => {
  const effects = /\b(process|console)\.\w+|\bDate\.now|\bnew Date\(\)|\bperformance\.now|\bfetch\(/g;
  const wrong = violations(({ code, imports, folder }) => {
    if (folder === "experiments") return [];
    const open = folder === "src/engines" ? [...computing, ...loading] : computing;
    const modules = imports.filter((name) => name.startsWith("node:") && !open.includes(name));
    const touched = uses(code, effects).filter(
      (use) => folder !== "src/engines" || !use.startsWith("process."),
    );
    return [...modules, ...touched];
  });
  expect(wrong).toEqual([]);
});

test("randomness comes from core/rng.ts alone", () => {
  expect(violations(({ code }) => uses(code, /\bMath\.random|\brandomBytes|\bgetRandomValues/g))).toEqual([]);
});

test("only src/engines imports a tensor package", () => {
  const tensors = /^(@tensorflow\/|onnxruntime|@webgpu\/|.*\/native\/build\/)/;
  const wrong = violations(({ imports, folder }) =>
    folder === "src/engines" ? [] : imports.filter((name) => tensors.test(name)),
  );
  expect(wrong).toEqual([]);
});

test("no file is longer than 300 lines", () => {
  const long = violations(({ lines }) => (lines > 300 ? [`${lines} lines`] : []));
  expect(long).toEqual([]);
});

test("modules are ES modules with named exports", () => {
  const foreign = /\bexport default\b|\bmodule\.exports\b|\bexports\.\w+ =|(?<!\.)\brequire\(/g;
  const wrong = violations(({ code, folder }) =>
    folder === "src/engines" ? uses(code, /\bexport default\b/g) : uses(code, foreign),
  );
  expect(wrong).toEqual([]);
});
