import { describe, expect, test } from "@jest/globals";
import { InputError } from "../../../src/core/errors.ts";
import { livePage, type LiveSource } from "../../../experiments/watch/livePage.ts";

/** A page whose folder, content and clock are set by hand; making it takes `seconds`. */
class Fake implements LiveSource {
  time = 0;
  folder = "a";
  content: string | Error = "<p>one</p>";
  seconds = 0.01;
  made = 0;
  looks = 0;
  readonly page = livePage(this, () => this.time);

  fingerprint(): Promise<string> {
    this.looks++;
    return Promise.resolve(this.folder);
  }

  render(): Promise<string> {
    this.made++;
    this.time += this.seconds;
    return this.content instanceof Error ? Promise.reject(this.content) : Promise.resolve(this.content);
  }

  failed(reason: string): string {
    return `nothing yet: ${reason}`;
  }

  change(content: string | Error): void {
    this.content = content;
    this.folder += "+";
  }
}

describe("a live page", () => {
  test("is made again when the folder has changed, and only then", async () => {
    const fake = new Fake();
    const first = await fake.page.current();
    expect(first.html).toBe("<p>one</p>");
    fake.time += 60;
    expect(await fake.page.current()).toBe(first);
    expect(fake.made).toBe(1);
    fake.change("<p>two</p>");
    fake.time += 60;
    const second = await fake.page.current();
    expect(second.html).toBe("<p>two</p>");
    expect(second.version).not.toBe(first.version);
    expect(fake.made).toBe(2);
  });

  test("keeps its version where a change of files changes nothing that it shows", async () => {
    const fake = new Fake();
    const first = await fake.page.current();
    fake.change("<p>one</p>");
    fake.time += 60;
    expect((await fake.page.current()).version).toBe(first.version);
    expect(fake.made).toBe(2);
  });

  test("that is slow to make is made seldom, whatever is asked of it", async () => {
    const fake = new Fake();
    fake.seconds = 3;
    for (let second = 0; second < 1000; second++) {
      fake.time += 1;
      fake.change(`<p>${second}</p>`);
      await fake.page.current();
    }
    // 3 s of work, and 30 s of rest.
    expect(fake.made).toBeGreaterThan(25);
    expect(fake.made).toBeLessThan(36);
  });

  test("looks at the folder once a second at most, for all who ask", async () => {
    const fake = new Fake();
    await Promise.all(Array.from({ length: 20 }, () => fake.page.current()));
    expect(fake.looks).toBe(1);
    expect(fake.made).toBe(1);
    fake.time += 0.5;
    await fake.page.current();
    expect(fake.looks).toBe(1);
    fake.time += 0.6;
    await fake.page.current();
    expect(fake.looks).toBe(2);
  });

  test("stays as it was, without a word, where a file is half there for a moment", async () => {
    const fake = new Fake();
    const before = await fake.page.current();
    fake.change(new Error("ENOENT: no such file"));
    fake.time += 2;
    expect(await fake.page.current()).toEqual({ version: before.version, html: before.html });
    fake.content = "<p>two</p>";
    fake.time += 2;
    const after = await fake.page.current();
    expect(after).toMatchObject({ html: "<p>two</p>" });
    expect(after.notice).toBeUndefined();
  });

  test("says what is wrong where it stays wrong, and what the user can mend at once", async () => {
    const fake = new Fake();
    await fake.page.current();
    fake.change(new Error("bad file"));
    fake.time += 2;
    await fake.page.current();
    fake.time += 2;
    expect(await fake.page.current()).toMatchObject({
      html: "<p>one</p>",
      notice: "not readable just now: bad file",
    });
    fake.change(new InputError("runs.csv, line 2: expected the columns"));
    fake.time += 2;
    expect((await fake.page.current()).notice).toBe("runs.csv, line 2: expected the columns");
  });

  test("says why where nothing could be read yet", async () => {
    const fake = new Fake();
    fake.content = new InputError("runs.csv: damaged");
    expect(await fake.page.current()).toMatchObject({
      html: "nothing yet: runs.csv: damaged",
      notice: "runs.csv: damaged",
    });
  });
});
