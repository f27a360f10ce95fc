import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { extract } from "tar";
import { check } from "../../src/core/errors.ts";
import { zipEntries } from "../../src/formats/zip.ts";

/** Whether a file is an archive that `unpack` knows. */
export function isArchive(fileName: string): boolean {
  return fileName.endsWith(".tar.gz") || fileName.endsWith(".zip");
}

/**
 * Unpacks an archive below `root`: beside its place first, and then moves what came there, so that a cut leaves no half
 * folder under a whole one's name.
 *
 * @throws InputError where it is damaged, or has files that would lie elsewhere.
 */
export async function unpack(archive: string, root: string): Promise<void> {
  const folder = await mkdtemp(join(root, "unpacking-"));
  try {
    await (archive.endsWith(".zip") ? unzip : untar)(archive, folder);
    for (const entry of await readdir(folder)) {
      const target = join(root, entry);
      await rm(target, { recursive: true, force: true });
      await rename(join(folder, entry), target);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function untar(archive: string, folder: string): Promise<void> {
  await extract({ file: archive, cwd: folder, strict: true });
}

/** Entry by entry: Tiny ImageNet has 120 000. */
async function unzip(archive: string, folder: string): Promise<void> {
  for (const [name, bytes] of zipEntries(await readFile(archive))) {
    const path = resolve(folder, name);
    check(
      path.startsWith(resolve(folder) + sep),
      () => `${archive}: expected files below the folder it is unpacked in, got ${name}`,
    );
    await mkdir(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) await writeFile(path, bytes);
  }
}
