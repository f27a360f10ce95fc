import { z } from "zod";
import { initialTensors } from "../../networks/network.ts";
import type { NetworkSource } from "./networkSource.ts";

export const freshOptions = z.strictObject({});

/** A network at its random start, anew in each step (DM, Zhao & Bilen, WACV 2023). */
export function fresh(): NetworkSource {
  return {
    draw: ({ engine, network }, rng) => ({
      parameters: initialTensors(network.parameters, engine, rng.stream("network")),
      accuracy: 0,
    }),
  };
}
