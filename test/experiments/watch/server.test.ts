import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { get, request } from "node:http";
import { connect } from "node:net";
import { hostname } from "node:os";
import { InputError } from "../../../src/core/errors.ts";
import type { LivePage } from "../../../experiments/watch/livePage.ts";
import { isOwnName, serve, type Watching } from "../../../experiments/watch/server.ts";

const page: LivePage = {
  current: () =>
    Promise.resolve({
      version: "7",
      html: `<!doctype html><html lang="en"><head></head><body><main>hello</main></body></html>`,
      notice: "something is wrong",
    }),
};

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let watching: Watching;
beforeAll(async () => {
  watching = await serve(page, { host: "127.0.0.1", port: 0, next: false });
});
afterAll(() => watching.close());

/** What the server answers; the path goes out as it is, unlike by fetch. */
function ask(path: string, { method = "GET", host = "localhost" } = {}): Promise<Reply> {
  const { port } = new URL(watching.url);
  return new Promise((answered, failed) => {
    request({ host: "127.0.0.1", port, path, method, headers: { host } }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.on("end", () => {
        answered({ status: response.statusCode!, headers: response.headers, body });
      });
    })
      .on("error", failed)
      .end();
  });
}

describe("the server", () => {
  test("serves the page, to be shown by no other site and kept by nobody", async () => {
    const { status, headers, body } = await ask("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(body).toContain("<main>hello</main>");
    expect(headers["content-security-policy"]).toBe("frame-ancestors 'none'");
    expect(headers["cache-control"]).toBe("no-store");
  });

  test("tells the version, and what is wrong", async () => {
    const { body } = await ask("/version");
    expect(JSON.parse(body)).toEqual({ version: "7", notice: "something is wrong" });
  });

  test.each([
    "/package.json",
    "/../package.json",
    "/%2e%2e/package.json",
    "/etc/passwd",
    "//etc/passwd",
    "/constructor",
    "/__proto__",
  ])("has no file at %s", async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404, body: "Nothing is here. The page is at /.\n" });
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("cannot be changed by %s", async (method) => {
    const { status, headers } = await ask("/", { method });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  test("answers HEAD as GET, without the body", async () => {
    const [whole, head] = await Promise.all([ask("/"), ask("/", { method: "HEAD" })]);
    expect(head.status).toBe(200);
    expect(head.body).toBe("");
    expect(head.headers["content-length"]).toBe(whole.headers["content-length"]);
  });

  test.each(["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example"])(
    "does not answer a page that calls it %j",
    async (host) => {
      for (const path of ["/", "/version"]) {
        const { status, body } = await ask(path, { host });
        expect(status).toBe(403);
        expect(body).not.toContain("hello");
      }
    },
  );

  test("has no icon, which browsers ask for by themselves", async () => {
    expect(await ask("/favicon.ico")).toMatchObject({ status: 204, body: "" });
  });

  test("survives what is no HTTP", async () => {
    const { port } = new URL(watching.url);
    await new Promise<void>((closed) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.end("nonsense\r\n\r\n"));
      socket.on("close", () => {
        closed();
      });
      socket.resume();
    });
    expect((await ask("/")).status).toBe(200);
  });

  test("says 500 in one line, and goes on, where the page cannot be had at all", async () => {
    const broken = await serve(
      { current: () => Promise.reject(new Error("no")) },
      { host: "127.0.0.1", port: 0, next: false },
    );
    const reply = await fetch(broken.url);
    expect([reply.status, await reply.text()]).toEqual([500, "no\n"]);
    await broken.close();
  });
});

describe("a port that is taken", () => {
  const port = (): number => Number(new URL(watching.url).port);

  test("is an error where it was asked for", async () => {
    await expect(serve(page, { host: "127.0.0.1", port: port(), next: false })).rejects.toThrow(
      new InputError(`--port: port ${port()} is taken at 127.0.0.1; choose another with --port`),
    );
  });

  test("gives way to the next one where it was not", async () => {
    const other = await serve(page, { host: "127.0.0.1", port: port(), next: true });
    expect(Number(new URL(other.url).port)).toBeGreaterThan(port());
    await other.close();
  });
});

test("an address of another machine is an error that says so", async () => {
  await expect(serve(page, { host: "192.0.2.1", port: 0, next: false })).rejects.toThrow(
    /--host: cannot listen at 192\.0\.2\.1/,
  );
});

test("closing ends connections that are still open", async () => {
  const other = await serve(page, { host: "127.0.0.1", port: 0, next: false });
  const socket = connect(Number(new URL(other.url).port), "127.0.0.1");
  await new Promise((open) => socket.once("connect", open));
  await other.close();
  await expect(new Promise((_, fails) => get(other.url).on("error", fails))).rejects.toThrow("ECONNREFUSED");
  socket.destroy();
});

test.each([
  ["localhost:8765", true],
  ["LOCALHOST", true],
  ["127.0.0.1:8765", true],
  ["[::1]:8765", true],
  ["10.1.2.3:8765", true],
  [`${hostname()}:8765`, true],
  ["watch.example:8765", true],
  ["distillery.localhost", true],
  ["evil.example", false],
  ["localhost.evil.example", false],
  [undefined, false],
])("as own name counts %s: %s", (header, own) => {
  expect(isOwnName(header, "watch.example")).toBe(own);
});
