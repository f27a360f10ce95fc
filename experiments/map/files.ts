import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../files.ts";
import { remembered } from "../report/remembered.ts";
import type { MapRecord } from "./record.ts";

const FOLDER = "maps";
const FILE = "map.json";

/** The folder of a map in a results folder. */
export function mapFolder(results: string, name: string): string {
  return join(results, FOLDER, name);
}

/** The file of a map that holds all of it. */
export function mapFile(folder: string): string {
  return join(folder, FILE);
}

/** All maps of a results folder, in order of their names. @throws InputError for one that is damaged. */
export function readMaps(results: string): MapRecord[] {
  const root = join(results, FOLDER);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort()
    .map((name) => mapFile(join(root, name)))
    .filter((file) => existsSync(file))
    .map(known);
}

const known = remembered((file: string) => readJson(file) as MapRecord);
