import type { Outcome } from "./benchCase.ts";
import { median, quartiles } from "./statistics.ts";
import type { Timing } from "./worker.ts";
import { type Worker, WorkerFailure } from "./workers.ts";

/** A way to run the peer. */
export type PeerName = "peer" | "tuned";

/** Who takes part; each worker has said hello. */
export interface Crew {
  readonly ours: Worker;
  readonly peers: Readonly<Partial<Record<PeerName, Worker>>>;
}

/** How ours compares with one way to run the peer. */
export interface Comparison {
  /** Median, seconds. */
  readonly seconds: number;
  /** Median over pairs of our time by the peer's, and its quartiles. */
  readonly ratio: number;
  readonly quartiles: readonly [number, number];
  readonly peakBytes: number | null;
}

export interface Measurement {
  /** Median of ours, seconds. */
  readonly seconds: number;
  /** Share of our time spent in convolutions: what is left when all else is free; null where it is not known. */
  readonly convolutionShare: number | null;
  readonly peakBytes: number | null;
  readonly loss: number;
  readonly comparisons: Readonly<Partial<Record<PeerName, Comparison>>>;
  /** Why a comparison is missing. */
  readonly notes: readonly string[];
  /** Whether a peer computes something else: a fault of one of the two. */
  readonly disagrees: boolean;
}

export interface Plan {
  /** Pairs of one run of ours and one of each peer. */
  readonly pairs: number;
  /** Largest relative differences between ours and a peer. */
  readonly tolerance: Tolerance;
}

export interface Tolerance {
  readonly loss: number;
  readonly norms: number;
}

/** Runs before the timed ones, beside the one that is checked. */
const WARM_UPS = 1;

/**
 * Times ours and the peers in turn: one run of each, again and again, so that what else the machine does meets all alike.
 * Peers whose numbers differ from ours are not timed; one that fails is left out from then on.
 *
 * @throws WorkerFailure where ours fails.
 */
export async function measure(crew: Crew, { pairs, tolerance }: Plan): Promise<Measurement> {
  const notes: string[] = [];
  const outcome = await crew.ours.ask("check");
  const rivals = Object.entries(crew.peers).map(([name, worker]) => ({ name: name as PeerName, worker }));
  let racing: Rival[] = rivals.map((rival) => ({ ...rival, seconds: [] }));
  /** Goes on with those peers that `act` does not fail for. */
  const keep = async (act: (rival: Rival) => Promise<boolean>): Promise<void> => {
    const kept: Rival[] = [];
    for (const rival of racing) if (await survives(rival, act, notes)) kept.push(rival);
    racing = kept;
  };

  let disagrees = false;
  await keep(async ({ name, worker }) => {
    const difference = differenceOf(outcome, await worker.ask("check", outcome.facts), tolerance);
    if (difference === undefined) return true;
    disagrees = true;
    notes.push(`${titles[name]}: ${difference}; no ratio is given`);
    return false;
  });

  const timings: Timing[] = [];
  for (let round = -WARM_UPS; round < pairs; round++) {
    const timing = await crew.ours.ask("time");
    if (round >= 0) timings.push(timing);
    await keep(async (rival) => {
      const { seconds } = await rival.worker.ask("time");
      if (round >= 0) rival.seconds.push(seconds);
      return true;
    });
  }
  const ours = timings.map(({ seconds }) => seconds);
  const comparisons: Partial<Record<PeerName, Comparison>> = {};
  await keep(async ({ name, worker, seconds }) => {
    comparisons[name] = comparison(ours, seconds, (await worker.ask("peak")).bytes);
    return true;
  });
  const { bytes: peakBytes } = await crew.ours.ask("peak");
  const shares = timings.flatMap(({ convolutionShare }) => convolutionShare ?? []);
  const convolutionShare = shares.length > 0 ? median(shares) : null;
  return {
    seconds: median(ours),
    convolutionShare,
    peakBytes,
    loss: outcome.loss,
    comparisons,
    notes,
    disagrees,
  };
}

export const titles = { peer: "PyTorch", tuned: "PyTorch with malloc tuned" } as const;

interface Rival {
  readonly name: PeerName;
  readonly worker: Worker;
  readonly seconds: number[];
}

async function survives(
  rival: Rival,
  act: (rival: Rival) => Promise<boolean>,
  notes: string[],
): Promise<boolean> {
  try {
    return await act(rival);
  } catch (error) {
    if (!(error instanceof WorkerFailure)) throw error;
    notes.push(`${titles[rival.name]}: ${error.message}`);
    return false;
  }
}

function comparison(
  ours: readonly number[],
  theirs: readonly number[],
  peakBytes: number | null,
): Comparison {
  const ratios = ours.map((seconds, pair) => seconds / theirs[pair]!);
  return { seconds: median(theirs), ratio: median(ratios), quartiles: quartiles(ratios), peakBytes };
}

/** What is further apart than it may be, in words; undefined where nothing is. */
export function differenceOf(ours: Outcome, theirs: Outcome, tolerance: Tolerance): string | undefined {
  const names = [...new Set([...Object.keys(ours.norms), ...Object.keys(theirs.norms)])];
  const compared = [
    { what: "losses", a: ours.loss, b: theirs.loss, bound: tolerance.loss },
    ...names.map((name) => ({
      what: `norms of ${name}`,
      a: ours.norms[name],
      b: theirs.norms[name],
      bound: tolerance.norms,
    })),
  ];
  const wrong = compared.filter(({ a, b, bound }) => !(relativeDifference(a, b) <= bound));
  if (wrong.length === 0) return undefined;
  return wrong
    .map(({ what, a, b, bound }) => `${what} differ by more than ${bound}, ours ${a}, theirs ${b}`)
    .join("; ");
}

/** |a − b| by the larger of the two; NaN where one is missing. What is not finite reaches us as null. */
function relativeDifference(a: number | null = null, b: number | null = null): number {
  if (a === null || b === null) return NaN;
  return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
}
