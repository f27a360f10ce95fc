import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { check, InputError } from "../../src/core/errors.ts";
import type { DatasetName, Distribution, Download } from "../../src/datasets/index.ts";
import { located } from "./files.ts";
import { isArchive, unpack } from "./unpack.ts";

/** How far a download is. */
export interface FetchProgress {
  readonly file: string;
  /** Bytes on disk so far, those of an earlier attempt included. */
  readonly received: number;
  /** Bytes in all, where the server says. */
  readonly total?: number;
}

export interface FetchOptions {
  /** Called as bytes arrive. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** How often a cut connection is taken up again without having brought anything new. Default 5. */
  readonly attempts?: number;
  /** Wait before taking it up again, seconds. Default 2. */
  readonly pause?: number;
}

/**
 * Downloads what a distribution lacks below `root`, checks it, and unpacks archives. Files that are there stay.
 *
 * @returns false where all files were there already.
 * @throws InputError where a server refuses, the connection stays cut, or a checksum differs.
 */
export async function fetchDistribution(
  name: DatasetName,
  distribution: Distribution,
  root: string,
  options: FetchOptions = {},
): Promise<boolean> {
  if (located(distribution, root) !== undefined) return false;
  for (const file of distribution.downloads) {
    const fileName = basename(new URL(file.url).pathname);
    const archive = isArchive(fileName);
    const path = join(root, archive ? "" : distribution.folders[0]!, fileName);
    await mkdir(dirname(path), { recursive: true });
    await download(file, path, options);
    if (archive) await unpack(path, root);
  }
  check(
    located(distribution, root) !== undefined,
    () => `${name}: expected the downloads to hold ${distribution.files.join(", ")}, got others; see ${root}`,
  );
  return true;
}

/**
 * Downloads one file. Bytes go to PATH.partial, which a later call continues; it takes its name once the checksum agrees.
 *
 * @throws InputError where a file is there with another checksum, the server refuses, the connection stays cut, or the
 *   checksum of what came differs (what came is then deleted).
 */
export async function download(file: Download, path: string, options: FetchOptions = {}): Promise<void> {
  if (existsSync(path)) {
    const found = await md5Of(path);
    check(
      found === file.md5,
      () =>
        `${path}: expected the official file (md5 ${file.md5}), got md5 ${found}; move it away and fetch again`,
    );
    return;
  }
  const partial = `${path}.partial`;
  await receiveAll(file.url, partial, options);
  const md5 = await md5Of(partial);
  if (md5 !== file.md5) {
    await rm(partial);
    throw new InputError(
      `${file.url}: expected md5 ${file.md5}, got ${md5}; what came was deleted: fetch again, and if it stays so, ` +
        "the server no longer has the official file",
    );
  }
  await rename(partial, path);
}

/** Receives into `partial` until it is whole, going on where a connection was cut. */
async function receiveAll(url: string, partial: string, options: FetchOptions): Promise<void> {
  const { attempts = 5, pause = 2 } = options;
  let failures = 0;
  for (;;) {
    const before = await sizeOf(partial);
    try {
      await receive(url, partial, options);
      return;
    } catch (error) {
      if (error instanceof InputError) throw error;
      const now = await sizeOf(partial);
      failures = now > before ? 1 : failures + 1;
      check(
        failures < attempts,
        () =>
          `${url}: expected the file, got "${reason(error)}" ${attempts} times at byte ${now}; ` +
          (now > 0 ? `${partial} is kept: run the same command again to go on` : "check the network"),
      );
      await setTimeout(1000 * pause);
    }
  }
}

/** One request: for the rest where a part is there, from the start where there is none or the server knows no ranges. */
async function receive(url: string, partial: string, { onProgress }: FetchOptions): Promise<void> {
  const have = await sizeOf(partial);
  // Compressed in transit, a range would be one of the compressed bytes.
  const headers = { "accept-encoding": "identity", ...(have > 0 && { range: `bytes=${have}-` }) };
  const response = await fetch(url, { headers });
  if (response.status === 416) {
    // Nothing after what is there: it is whole, or not of this file, which the checksum tells.
    await response.body?.cancel();
    return;
  }
  check(
    response.ok && response.body !== null,
    () => `${url}: expected the file, got HTTP ${response.status} ${response.statusText}; try again later`,
  );
  const continues = response.headers.get("content-range")?.startsWith(`bytes ${have}-`) ?? false;
  const start = continues ? have : 0;
  const length = response.headers.get("content-length");
  const total = length === null ? undefined : start + Number(length);
  let received = start;
  const out = await open(partial, continues ? "a" : "w");
  try {
    for await (const chunk of Readable.fromWeb(response.body as ReadableStream) as AsyncIterable<Buffer>) {
      await out.appendFile(chunk); // before it is told: a cut connection takes along what waits to be written
      received += chunk.length;
      onProgress?.({
        file: basename(new URL(url).pathname),
        received,
        ...(total !== undefined && { total }),
      });
    }
  } finally {
    await out.close();
  }
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).size : 0;
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
