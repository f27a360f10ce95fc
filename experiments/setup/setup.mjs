// @ts-check
/**
 * Makes a fresh machine ready: npm packages, then the torch engine. Only Node's own modules are used, since nothing else
 * is there yet. Without a torch engine the TensorFlow.js one does the work, more slowly, so only missing packages fail.
 *
 *     node experiments/setup/setup.mjs [--again]
 *
 * --again tries the torch engine anew where an earlier set-up could not get it. DISTILLERY_NO_APT=1 keeps apt-get out.
 */
import "./node.mjs";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build, findTorch, isBuilt } from "../../native/build.mjs";
import { packagesCurrent, planOf } from "./plan.mjs";

const root = join(import.meta.dirname, "..", "..");
/** Remembers why there is no addon, so that the next start need not look again. */
const memory = join(root, "native", "build", "setup.json");

const say = (/** @type {string} */ text) => console.error(`setup: ${text}`);
const onPath = (/** @type {string} */ program) =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

/** Fingerprint of all that decides how an attempt at the addon ends. */
function circumstances() {
  const native = join(root, "native");
  const hash = createHash("sha256");
  for (const file of readdirSync(native)
    .filter((name) => /\.(cc|h|mjs)$/.test(name))
    .sort()) {
    hash.update(readFileSync(join(native, file)));
  }
  const { LIBTORCH, DISTILLERY_NO_APT } = process.env;
  return hash
    .update(JSON.stringify([LIBTORCH, DISTILLERY_NO_APT, process.getuid?.(), onPath("g++")]))
    .digest("hex");
}

/** Whether BLAS calls of a library in this folder end in Debian's libblas3. */
function usesReferenceBlas(/** @type {string} */ folder) {
  const blas = join(folder, "libblas.so.3");
  return existsSync(blas) && realpathSync(blas).includes("/blas/libblas");
}

function readJson(/** @type {string} */ file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** @returns {import("./plan.d.mts").Facts} */
function facts() {
  const addonBuilt = isBuilt();
  const remembered = addonBuilt ? undefined : readJson(memory);
  const unchangedSince = remembered?.circumstances === circumstances() ? remembered.reason : undefined;
  const again = process.argv.includes("--again");
  const looks = !addonBuilt && (again || unchangedSince === undefined);
  const torch = looks ? findTorch().torch : undefined;
  return {
    packagesCurrent: packagesCurrent(
      readJson(join(root, "package-lock.json")),
      readJson(join(root, "node_modules", ".package-lock.json")),
    ),
    addonBuilt,
    unchangedSince,
    again,
    compiler: onPath("g++"),
    torch: torch !== undefined,
    referenceBlas: torch !== undefined && torch.libraries.some(usesReferenceBlas),
    root: process.getuid?.() === 0,
    apt: onPath("apt-get") && existsSync("/etc/debian_version"),
    aptAllowed: !process.env.DISTILLERY_NO_APT,
  };
}

/** Runs a program quietly; returns what it complained of, if it failed. */
function failureOf(
  /** @type {string} */ program,
  /** @type {string[]} */ given,
  /** @type {object} */ env = {},
) {
  const run = spawnSync(program, given, { cwd: root, encoding: "utf8", env: { ...process.env, ...env } });
  if (run.status === 0) return undefined;
  if (run.error) return `${program}: ${run.error.message}`;
  const said = `${run.stdout}${run.stderr}`.split("\n").filter((line) => line.trim() !== "");
  const complaints = said.filter((line) => /error|^E: |^Err/i.test(line));
  return (complaints.length > 0 ? complaints.slice(0, 6) : said.slice(-6)).join("\n");
}

/** Carries out a step; returns why it failed, if it did. */
async function carryOut(/** @type {import("./plan.d.mts").Step} */ step) {
  if (step.do === "packages") {
    say("installing packages (npm ci)");
    return failureOf("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  }
  if (step.do === "apt") {
    say(`installing ${step.install.join(" and ")} with apt-get (DISTILLERY_NO_APT=1 prevents this)`);
    const quiet = { DEBIAN_FRONTEND: "noninteractive" };
    const wait = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300"];
    return (
      failureOf("apt-get", [...wait, "update"], quiet) ??
      failureOf("apt-get", [...wait, "install", "--no-install-recommends", ...step.install], quiet)
    );
  }
  say("compiling the torch engine");
  return await build({ again: true }).then(
    () => undefined,
    (error) => error.message,
  );
}

function remember(/** @type {string} */ reason) {
  mkdirSync(join(memory, ".."), { recursive: true });
  writeFileSync(memory, JSON.stringify({ circumstances: circumstances(), reason: reason.split("\n")[0] }));
}

const { steps, note } = planOf(facts());
let reason = note;
for (const step of steps) {
  const failure = await carryOut(step);
  if (failure === undefined) continue;
  if (step.do === "packages") {
    say(`npm ci failed:\n${failure}`);
    process.exit(1);
  }
  say(failure);
  // Without OpenBLAS the engine works, only slower.
  if (step.do === "apt" && step.install.every((name) => name.startsWith("libopenblas"))) continue;
  reason =
    step.do === "apt"
      ? "apt-get could not install what the torch engine needs"
      : "the torch engine did not compile";
  break;
}
if (reason !== undefined) {
  say(`no torch engine, going on with TensorFlow.js: ${reason}`);
  if (!reason.endsWith("tries again")) remember(reason);
}
