/** Whether the user or a scheduler has asked the program to end. A second request ends it at once. */
export function stopSignal(): { asked(): boolean; release(): void } {
  let asked = false;
  const listen = (): void => {
    asked = true;
  };
  process.once("SIGINT", listen);
  process.once("SIGTERM", listen);
  return {
    asked: () => asked,
    release() {
      process.off("SIGINT", listen);
      process.off("SIGTERM", listen);
    },
  };
}
