import type { OptionTable } from "../core/options.ts";
import { csdm, csdmOptions } from "./csdm.ts";
import { datm, datmOptions } from "./datm.ts";
import { dc, dcOptions } from "./dc.ts";
import { dcc, dccOptions, dsac } from "./dcc.ts";
import { dm, dmOptions } from "./dm.ts";
import { dsa, dsaOptions } from "./dsa.ts";
import { idm, idmOptions } from "./idm.ts";
import { iid, iidOptions } from "./iid.ts";
import { lad, ladOptions } from "./lad.ts";
import { mmd, mmdOptions } from "./mmd.ts";
import { ftd, ftdOptions } from "./ftd.ts";
import { mtt, mttOptions } from "./mtt.ts";
import { ncfm, ncfmOptions } from "./ncfm.ts";
import { publishedRun } from "./gradientMatching.ts";
import type { Objective, RunDefaults } from "./objective.ts";
import { tesla, teslaOptions } from "./tesla.ts";
import { publishedTrajectoryRun } from "./trajectoryOptions.ts";

/** Methods by name. */
export const methods = {
  dm: { options: dmOptions, build: dm },
  idm: { options: idmOptions, build: idm },
  iid: { options: iidOptions, build: iid },
  mmd: { options: mmdOptions, build: mmd },
  ncfm: { options: ncfmOptions, build: ncfm },
  csdm: { options: csdmOptions, build: csdm },
  dc: {
    options: dcOptions,
    build: dc,
    run: (network) => ({ ...publishedRun(network), augmentation: "none", initialization: "noise" }),
  },
  dsa: { options: dsaOptions, build: dsa, run: publishedRun },
  dcc: {
    options: dccOptions,
    build: dcc,
    run: (network) => ({ ...publishedRun(network), augmentation: "none" }),
  },
  dsac: { options: dccOptions, build: dsac, run: publishedRun },
  mtt: { options: mttOptions, build: mtt, run: publishedTrajectoryRun(1000) },
  ftd: { options: ftdOptions, build: ftd, run: publishedTrajectoryRun(1000) },
  tesla: { options: teslaOptions, build: tesla, run: publishedTrajectoryRun(1000) },

  datm: { options: datmOptions, build: datm, run: publishedTrajectoryRun(100) },
  lad: { options: ladOptions, build: lad, run: publishedTrajectoryRun(100) },
} as const satisfies OptionTable & Record<string, Method>;

interface Method {
  build(options: never): Objective;
  /** Of a run under networks of a name. */
  run?(network: string): RunDefaults;
}
