// A process of our own engine under measurement. Node 20 cannot run TypeScript by itself; tsx strips the types.
import { register } from "tsx/esm/api";

register();
const { serve } = await import("./worker.ts");
await serve(process.stdin);
