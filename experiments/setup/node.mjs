// Imported first: what comes after it needs this version of Node, and would fail on an older one without saying so.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`distillery: expected Node 20.19 or newer, got ${process.version}; see https://nodejs.org`);
  process.exit(1);
}
