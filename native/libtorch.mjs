// Looks for libtorch: its headers and its libraries.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * $LIBTORCH where that is set; else the first of python3's `torch` package and Debian's libtorch-dev that has headers
 * and library.
 *
 * @returns {{ torch: import("./build.d.mts").Torch } | { reason: string }}
 */
export function findTorch() {
  const tried = [];
  for (const { source, include, library } of candidates()) {
    const version = include === undefined ? undefined : versionIn(include);
    if (include === undefined) tried.push(`${source}: not installed`);
    else if (version === undefined) tried.push(`${source}: no headers in ${include}`);
    else if (!existsSync(join(library, "libtorch_cpu.so")))
      tried.push(`${source}: no libtorch_cpu.so in ${library}`);
    else {
      const includes = [include, join(include, "torch/csrc/api/include")];
      return { torch: { source, version, includes, libraries: [library] } };
    }
  }
  const advice = "install Debian's libtorch-dev or pip's torch, or set LIBTORCH to an unpacked libtorch";
  return { reason: `no libtorch found (${tried.join("; ")}); ${advice}` };
}

/** Places to look, best first; include and library are undefined where there is nothing to look at. */
function candidates() {
  const under = (source, root) =>
    root === undefined ? { source } : { source, include: join(root, "include"), library: join(root, "lib") };
  if (process.env.LIBTORCH) return [under("$LIBTORCH", resolve(process.env.LIBTORCH))];
  const source = "Debian's libtorch-dev";
  const library = ["x86_64", "aarch64"]
    .map((machine) => `/usr/lib/${machine}-linux-gnu`)
    .find((folder) => existsSync(join(folder, "libtorch_cpu.so")));
  return [
    under("python3's torch", pythonTorch()),
    library === undefined ? { source } : { source, include: "/usr/include", library },
  ];
}

/** Folder of python3's torch package, found without importing it. */
function pythonTorch() {
  const program =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
  try {
    const said = execFileSync("python3", ["-c", program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return said.trim() || undefined;
  } catch {
    return undefined; // no python3, or one that does not start: the next candidate may do
  }
}

/** Headers that state the version; where both exist, as in libtorch 2.13, the second only includes the first. */
const versionHeaders = ["torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"];

function versionIn(include) {
  const header = versionHeaders.map((file) => join(include, file)).find((file) => existsSync(file));
  if (header === undefined) return undefined;
  const text = readFileSync(header, "utf8");
  const parts = ["MAJOR", "MINOR", "PATCH"].map(
    (part) => text.match(new RegExp(`#define TORCH_VERSION_${part} (\\d+)`))?.[1],
  );
  return parts.includes(undefined) ? undefined : parts.join(".");
}
