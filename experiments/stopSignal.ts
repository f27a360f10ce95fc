let remembered = false;

/** Whether the user or a scheduler has asked the program to end. A second request ends it at once. */
export function stopSignal(): { asked(): boolean; release(): void } {
  let asked = false;
  const listen = (): void => {
    asked = true;
  };
  process.once("SIGINT", listen);
  process.once("SIGTERM", listen);
  return {
    asked: () => asked || remembered,
    release() {
      process.off("SIGINT", listen);
      process.off("SIGTERM", listen);
    },
  };
}

/**
 * From now on a request of the scheduler is kept until some work asks for it, whenever it comes, and a second one changes
 * nothing: Slurm signals a job's shell and all its processes, and the shell hands its signal on.
 */
export function rememberStop(): void {
  process.on("SIGTERM", () => {
    remembered = true;
  });
}
