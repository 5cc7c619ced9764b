/**
 * Ctrl-C, SIGTERM, and SIGUSR2, which mpirun passes on and schedulers send before the time is up, as a wish to stop: the
 * first one is granted at the next safe moment, the second at once.
 */

export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGUSR2'

/** The codes that a shell gives to a process ended by the first two of these signals. */
export const exitCodes: Record<Interrupt, number> = { SIGINT: 130, SIGTERM: 143, SIGUSR2: 143 }

/**
 * Listens until the first signal. Then the system's own handling is back, so that a second one ends the process even
 * while a kernel runs.
 *
 * @returns a signal whose `reason` is the name of the one received, and a way to stop listening
 */
export function onInterrupt(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const names: Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGUSR2']
  const stop = (name: NodeJS.Signals) => {
    release()
    controller.abort(name)
  }
  const release = () => {
    for (const name of names) process.removeListener(name, stop)
  }
  for (const name of names) process.on(name, stop)
  return { signal: controller.signal, release }
}
