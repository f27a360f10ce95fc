// A process that measures a few steps and epochs for `distillery sweep --plan`.
import { load } from "../setup/load.mjs";

const { answer } = await load("sweep/probe");
await answer();
