/** How a process that was given a task ends, for whoever started it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** Another process is at it: EX_TEMPFAIL of sysexits.h. */
  busy: 75,
  /** It was asked to end, and the same command goes on: 128 + SIGTERM, as shells say it. */
  stopped: 143,
} as const;
