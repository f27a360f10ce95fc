// A process of our own engine under measurement.
import { load } from "../setup/load.mjs";

const { serve } = await load("bench/worker");
await serve(process.stdin);
