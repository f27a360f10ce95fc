#!/usr/bin/env node
import "./setup/node.mjs";

// Node 20 cannot run TypeScript by itself; tsx strips the types as files are imported.
try {
  const { register } = await import("tsx/esm/api");
  register();
} catch (error) {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  console.error("distillery: packages are not installed; run `npm run setup` in the project folder first");
  process.exit(1);
}
const { main } = await import("./cli.ts");
await main();
