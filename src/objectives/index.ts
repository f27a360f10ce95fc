import type { OptionTable } from "../core/options.ts";
import { csdm, csdmOptions } from "./csdm.ts";
import { dm, dmOptions } from "./dm.ts";
import { idm, idmOptions } from "./idm.ts";
import { iid, iidOptions } from "./iid.ts";
import { mmd, mmdOptions } from "./mmd.ts";
import { ncfm, ncfmOptions } from "./ncfm.ts";
import type { Objective } from "./objective.ts";

/** Methods by name. */
export const methods = {
  dm: { options: dmOptions, build: dm },
  idm: { options: idmOptions, build: idm },
  iid: { options: iidOptions, build: iid },
  mmd: { options: mmdOptions, build: mmd },
  ncfm: { options: ncfmOptions, build: ncfm },
  csdm: { options: csdmOptions, build: csdm },
} as const satisfies OptionTable & Record<string, { build(options: never): Objective }>;
