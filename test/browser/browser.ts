import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where screenshots go, to be looked at. */
export const screenshots = mkdtempSync(join(tmpdir(), "distillery-screenshots-"));

export const phone = { width: 390, height: 844 };
export const desk = { width: 1280, height: 900 };

/** Chromium without a window that starts nothing of its own on the network. */
export function launched(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM!,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** An open page, and everything about it that went wrong. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, errors thrown, and requests that failed or went out. */
  readonly troubles: string[];
  close(): Promise<void>;
}

/** Opens a page. Nothing but files and this machine can be reached. */
export async function opened(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: desk, ...options });
  const troubles: string[] = [];
  await context.route("**/*", async (route) => {
    const { protocol, hostname } = new URL(route.request().url());
    if (["file:", "data:", "blob:"].includes(protocol) || hostname === "127.0.0.1") await route.continue();
    else {
      troubles.push(`a request goes out: ${route.request().url()}`);
      await route.abort();
    }
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) troubles.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`thrown: ${error.message}`));
  page.on("requestfailed", (request) => troubles.push(`failed: ${request.url().slice(0, 100)}`));
  page.on("response", (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(address);
  return { page, troubles, close: () => context.close() };
}

/** Keeps what the page looks like from top to bottom. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds against WCAG 2 A and AA and good practice, as "rule: element". */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate<AxeResults>(
    `axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
      resultTypes: ["violations"],
    })`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => `${id}: ${String(target)} ${failureSummary}`),
  );
}
