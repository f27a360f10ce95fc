#!/usr/bin/env node
import "./setup/node.mjs";
import { load } from "./setup/load.mjs";

const { main } = await load("cli");
await main();
