import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { create } from "tar";
import { download, type FetchProgress, fetchDistribution } from "../../../experiments/data/fetch.ts";
import { loadData, parsedDatasetOptions } from "../../../experiments/data/load.ts";
import { countOf, datasets } from "../../../src/datasets/index.ts";
import { writeZip } from "../../../src/formats/zip.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "distillery-fetch-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("downloads", () => {
  const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * i + 7 * i) % 256));
  const md5 = createHash("md5").update(content).digest("hex");
  let server: Server;
  let requests: string[];

  afterEach(() => new Promise((done) => server.close(done)));

  /** Serves on this machine alone; returns the address. */
  async function serve(answer: RequestListener): Promise<string> {
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.headers.range ?? "whole");
      answer(request, response);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Sends `body` from the asked-for byte on, but cuts the connection after `burst` bytes. */
  const cutting =
    (body: Buffer, burst: number, ranges: boolean): RequestListener =>
    (request, response) => {
      const from = ranges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
      response.writeHead(from > 0 ? 206 : 200, {
        "content-length": body.length - from,
        ...(from > 0 && { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` }),
      });
      const part = body.subarray(from, from + burst);
      if (from + burst >= body.length) response.end(part);
      else response.write(part, () => setTimeout(() => response.destroy(), 20));
    };

  const path = (): string => join(root, "file.bin");
  const partial = (): string => `${path()}.partial`;

  test("a connection that is cut is taken up where it ended", async () => {
    const address = await serve(cutting(content, 120_000, true));
    const seen: FetchProgress[] = [];
    await download({ url: `${address}/file.bin`, md5 }, path(), {
      pause: 0,
      onProgress: (progress) => seen.push(progress),
    });
    expect(content.equals(readFileSync(path()))).toBe(true);
    expect(existsSync(partial())).toBe(false);
    expect(requests[0]).toBe("whole");
    expect(requests.length).toBeGreaterThan(2);
    expect(requests.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range))).toBe(true);
    expect(seen.at(-1)).toEqual({ file: "file.bin", received: content.length, total: content.length });
    expect(seen.every(({ received }, i) => i === 0 || received >= seen[i - 1]!.received)).toBe(true);
  });

  test("a later call continues what an earlier one left", async () => {
    writeFileSync(partial(), content.subarray(0, 100_000));
    const address = await serve(cutting(content, Infinity, true));
    await download({ url: `${address}/file.bin`, md5 }, path());
    expect(requests).toEqual(["bytes=100000-"]);
    expect(content.equals(readFileSync(path()))).toBe(true);
  });

  test("a server without ranges sends all again, and nothing is doubled", async () => {
    writeFileSync(partial(), content.subarray(0, 100_000));
    const address = await serve(cutting(content, Infinity, false));
    await download({ url: `${address}/file.bin`, md5 }, path());
    expect(content.equals(readFileSync(path()))).toBe(true);
  });

  test("a part that is already whole is only checked", async () => {
    writeFileSync(partial(), content);
    const address = await serve((_, response) => response.writeHead(416).end());
    await download({ url: `${address}/file.bin`, md5 }, path());
    expect(content.equals(readFileSync(path()))).toBe(true);
  });

  test("a connection that stays cut ends in an error, and what came is kept", async () => {
    const address = await serve((request, response) => {
      if (request.headers.range === undefined) cutting(content, 50_000, true)(request, response);
      else request.socket.destroy();
    });
    const attempt = download({ url: `${address}/file.bin`, md5 }, path(), { attempts: 3, pause: 0 });
    await expect(attempt).rejects.toThrow(
      /expected the file, got ".+" 3 times at byte \d+; .*file\.bin\.partial is kept/,
    );
    expect(existsSync(path())).toBe(false);
    const kept = readFileSync(partial());
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.equals(content.subarray(0, kept.length))).toBe(true);
  });

  test("another checksum is an error, and what came is deleted", async () => {
    const address = await serve(cutting(Buffer.from("something else"), Infinity, true));
    await expect(download({ url: `${address}/file.bin`, md5 }, path())).rejects.toThrow(
      `expected md5 ${md5}, got`,
    );
    expect(readdirSync(root)).toEqual([]);
  });

  test("a server that cannot be reached is an error, and leaves nothing", async () => {
    const address = await serve((request) => request.socket.destroy());
    const attempt = download({ url: `${address}/file.bin`, md5 }, path(), { attempts: 2, pause: 0 });
    await expect(attempt).rejects.toThrow(/got "fetch failed.*" 2 times at byte 0; check the network/);
    expect(readdirSync(root)).toEqual([]);
  });

  test("a refusal names its status", async () => {
    const address = await serve((_, response) => response.writeHead(404).end());
    await expect(download({ url: `${address}/file.bin`, md5 }, path())).rejects.toThrow(
      "expected the file, got HTTP 404 Not Found",
    );
  });

  test("a file that is there is not fetched again, nor overwritten where it differs", async () => {
    const address = await serve(cutting(content, Infinity, true));
    writeFileSync(path(), content);
    await download({ url: `${address}/file.bin`, md5 }, path());
    writeFileSync(path(), "my own");
    await expect(download({ url: `${address}/file.bin`, md5 }, path())).rejects.toThrow(
      "move it away and fetch again",
    );
    expect(readFileSync(path(), "utf8")).toBe("my own");
    expect(requests).toEqual([]);
  });

  test("an archive is fetched, checked, unpacked and readable, and a second call finds it there", async () => {
    const source = join(root, "source/cifar-10-batches-bin");
    mkdirSync(source, { recursive: true });
    const record = (i: number): Buffer => Buffer.alloc(3073, i).fill(i % 10, 0, 1);
    const batch = Buffer.concat(Array.from({ length: 10 }, (_, i) => record(i)));
    for (const file of datasets.cifar10.distribution.files) writeFileSync(join(source, file), batch);
    const archive = join(root, "source.tar.gz");
    await create({ gzip: true, cwd: join(root, "source"), file: archive }, ["cifar-10-batches-bin"]);
    const body = readFileSync(archive);
    const address = await serve(cutting(body, Math.ceil(body.length / 2), true));
    const downloads = [
      { url: `${address}/cifar-10-binary.tar.gz`, md5: createHash("md5").update(body).digest("hex") },
    ];
    const distribution = { ...datasets.cifar10.distribution, downloads };
    const target = join(root, "data");
    expect(await fetchDistribution("cifar10", distribution, target, { pause: 0 })).toBe(true);
    expect(readdirSync(target).sort()).toEqual(["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]);
    const { splits } = await loadData(parsedDatasetOptions({ name: "cifar10", root: target }));
    expect(countOf(splits.train)).toBe(50);
    const before = requests.length;
    expect(await fetchDistribution("cifar10", distribution, target)).toBe(false);
    expect(requests).toHaveLength(before);
  });

  test("a zip archive is unpacked too, but not to elsewhere", async () => {
    const entries: [string, Buffer][] = [
      ["tiny-imagenet-200/", Buffer.alloc(0)],
      ["tiny-imagenet-200/wnids.txt", Buffer.from("n01\n")],
      ["tiny-imagenet-200/train/n01/images/n01_0.JPEG", content],
      ["tiny-imagenet-200/val/val_annotations.txt", Buffer.from("val_0.JPEG\tn01\n")],
    ];
    let body = Buffer.from(writeZip(entries, true));
    const address = await serve((request, response) => cutting(body, Infinity, true)(request, response));
    const distribution = () => ({
      ...datasets.tinyImageNet.distribution,
      downloads: [{ url: `${address}/tiny.zip`, md5: createHash("md5").update(body).digest("hex") }],
    });
    expect(await fetchDistribution("tinyImageNet", distribution(), root, { pause: 0 })).toBe(true);
    expect(readdirSync(root).sort()).toEqual(["tiny-imagenet-200", "tiny.zip"]);
    expect(content.equals(readFileSync(join(root, entries[2]![0])))).toBe(true);
    body = Buffer.from(writeZip([["../elsewhere.txt", content]], true));
    const other = join(root, "other");
    await expect(fetchDistribution("tinyImageNet", distribution(), other, { pause: 0 })).rejects.toThrow(
      "expected files below the folder it is unpacked in, got ../elsewhere.txt",
    );
    expect(readdirSync(other)).toEqual(["tiny.zip"]);
  });
});
