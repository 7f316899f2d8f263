/** Starts something that goes on by itself. `started` settles when it says that it is up, or is over. */
export function setGoing(
  run: (onStarted: () => void) => Promise<unknown>,
  onError: (error: unknown) => void,
): { started: Promise<void> } {
  const started = new Promise<void>((resolve) => {
    run(resolve).then(
      () => resolve(),
      (error: unknown) => {
        onError(error)
        resolve()
      },
    )
  })
  return { started }
}
