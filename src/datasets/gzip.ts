import { gunzipSync } from "node:zlib";
import { InputError } from "../core/errors.ts";
import type { SourceFile } from "./entry.ts";

/**
 * The file, unpacked where it begins as gzip does.
 *
 * @throws InputError where the gzip stream is cut off or damaged.
 */
export function gunzipped(file: SourceFile): SourceFile {
  const { path, bytes } = file;
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return file;
  try {
    return { path, bytes: gunzipSync(bytes) };
  } catch (error) {
    throw new InputError(
      `${path}: expected a whole gzip file, got "${(error as Error).message}" after ${bytes.length} bytes; ` +
        "the file is cut off or damaged: delete it and fetch it again",
    );
  }
}
