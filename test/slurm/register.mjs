// For `node --import`: adds a method with a preparation to a process that the tests start.
import { register } from "tsx/esm/api";

register();
await import("./preparedMethod.ts");
