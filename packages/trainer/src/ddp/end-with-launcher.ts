/** Ends a process whose launcher is gone: no one would end it otherwise. */
import { hostname } from 'node:os'

type Variables = Readonly<Record<string, string | undefined>>

/** Whether `launch` or `launchMpi` started this process. */
export const isLaunched = (env: Variables = process.env): boolean => Boolean(env.VITRAL_LAUNCHER)

/** Whether `launch` did, which has a channel to it; of `launchMpi` the processes are mpirun's. */
export const isLaunchersChild = (): boolean => isLaunched() && Boolean(process.connected)

/** How long a process that computes without a pause may live on, on Linux. */
export const secondsWithoutLauncher = 2

/** What a process is told of its launcher: under mpirun there is no channel that would close. */
export const launcherVariables = (): Record<string, string> => ({
  VITRAL_LAUNCHER: String(process.pid),
  VITRAL_LAUNCHER_HOST: hostname(),
})

/** Milliseconds. */
const lookInterval = 500

/**
 * From now on this process ends when its launcher does, between two steps; amid one `connectProcessGroup` sees to it.
 *
 * @returns what lets it end by itself again
 */
export function endWithLauncher(): () => void {
  if (!isLaunched()) return () => {}
  const end = (): void => {
    console.error('vitral: the launcher is gone; this process ends.')
    process.exit(1)
  }
  if (isLaunchersChild()) {
    process.once('disconnect', end)
    return () => {
      process.off('disconnect', end)
      if (process.connected) process.disconnect()
    }
  }
  // On another machine mpirun's own daemon sees to it.
  if (process.env.VITRAL_LAUNCHER_HOST !== hostname()) return () => {}
  const look = setInterval(() => !isRunning(Number(process.env.VITRAL_LAUNCHER)) && end(), lookInterval)
  look.unref()
  return () => clearInterval(look)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
