/**
 * Ctrl-C, SIGTERM, SIGUSR2, which mpirun passes on and schedulers send before the time is up, and SIGHUP of a terminal
 * that is closed, as a wish to stop: the first one is granted at the next safe moment, the second at once.
 */
import { ignoresHangup } from '@vitral/core/hangup'

export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGUSR2' | 'SIGHUP'

/** The codes that a shell gives to a process ended by these signals; SIGUSR2 counts as SIGTERM. */
export const exitCodes: Record<Interrupt, number> = { SIGINT: 130, SIGTERM: 143, SIGUSR2: 143, SIGHUP: 129 }

/**
 * Those of the signals that this process is to listen to. Under nohup a terminal's end is to be survived: a listener
 * would undo that.
 */
export const interrupts = (): Interrupt[] => [
  'SIGINT',
  'SIGTERM',
  'SIGUSR2',
  ...(ignoresHangup() ? [] : ['SIGHUP' as const]),
]

/**
 * Listens until the first signal. Then the system's own handling is back, so that a second one ends the process even
 * while a kernel runs.
 *
 * @returns a signal whose `reason` is the name of the one received, and a way to stop listening
 */
export function onInterrupt(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const names = interrupts()
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
