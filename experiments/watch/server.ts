import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { hostname } from "node:os";
import { InputError } from "../../src/core/errors.ts";
import type { LivePage } from "./livePage.ts";

export interface ServerOptions {
  /** Name or address to listen at. */
  readonly host: string;
  /** First port to try. */
  readonly port: number;
  /** Whether the ports after it will do as well. */
  readonly next: boolean;
}

export interface Watching {
  readonly url: string;
  close(): Promise<void>;
}

/** Ports tried after one that is taken. */
const PORTS = 20;

/**
 * Serves a page that refreshes itself. It answers GET and HEAD of two paths, none of them a file's, and only
 * requests that call it by an address or a name of this machine: a page of another site cannot read it through a name of
 * its own that it lets point here (DNS rebinding).
 *
 * @throws InputError if the port is taken or the address is not this machine's.
 */
export async function serve(page: LivePage, options: ServerOptions): Promise<Watching> {
  const server = createServer((request, response) => void answer(page, options.host, request, response));
  const port = await listening(server, options);
  const host = isIP(options.host) === 6 ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => {
          closed();
        });
        server.closeAllConnections();
      }),
  };
}

async function listening(server: Server, { host, port, next }: ServerOptions): Promise<number> {
  const last = next ? port + PORTS : port;
  for (let tried = port; ; tried++) {
    try {
      await new Promise<void>((listens, fails) => {
        server.once("error", fails).listen(tried, host, () => {
          server.off("error", fails);
          listens();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && tried < last) continue;
      throw new InputError(refusal(code, message, { host, port, last }));
    }
  }
}

function refusal(
  code: string | undefined,
  message: string,
  { host, port, last }: { readonly host: string; readonly port: number; readonly last: number },
): string {
  const ports = last > port ? `ports ${port} to ${last} are` : `port ${port} is`;
  if (code === "EADDRINUSE") return `--port: ${ports} taken at ${host}; choose another with --port`;
  if (code === "EACCES") return `--port: ${port} is not allowed to this user; choose one from 1024 on`;
  return `--host: cannot listen at ${host} (${message}); 127.0.0.1 is this machine alone, 0.0.0.0 all its addresses`;
}

/** The page says itself what it may load; what a header alone can say is that no other site may show or read it. */
const headers = {
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

async function answer(
  page: LivePage,
  host: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const {
    status,
    type,
    body,
    headers: own,
  } = await answerTo(page, host, request).catch((error: unknown) => plain(500, (error as Error).message));
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, { ...headers, "content-type": type, "content-length": length, ...own });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answerTo(page: LivePage, host: string, request: IncomingMessage): Promise<Answer> {
  if (!isOwnName(request.headers.host, host)) {
    return plain(
      403,
      `This page answers to this machine's own names, such as localhost; got ${request.headers.host ?? "none"}.`,
    );
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...plain(405, "This page can only be read."), headers: { allow: "GET, HEAD" } };
  }
  const path = (request.url ?? "/").replace(/\?.*$/s, "");
  if (path === "/") {
    return { status: 200, type: "text/html; charset=utf-8", body: (await page.current()).html };
  }
  if (path === "/version") {
    const { version, notice } = await page.current();
    return { status: 200, type: "application/json", body: JSON.stringify({ version, notice }) };
  }
  // Browsers ask for it by themselves, and call its absence an error.
  if (path === "/favicon.ico") return { status: 204, type: "image/x-icon", body: "" };
  return plain(404, "Nothing is here. The page is at /.");
}

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}

/**
 * Whether a Host header names this machine: an address, localhost, its host name, or what `--host` says. Names of other
 * sites can be made to point here; addresses cannot be another site's.
 */
export function isOwnName(header: string | undefined, host: string): boolean {
  const name = (header ?? "")
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1");
  const own = ["localhost", hostname(), host].map((each) => each.toLowerCase());
  return own.includes(name) || name.endsWith(".localhost") || isIP(name) !== 0;
}
