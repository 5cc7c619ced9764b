/** Ends a process whose launcher is gone: no one would end it otherwise. */

/** Whether `launch` started this process. */
export const isLaunched = (env: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  Boolean(env.VITRAL_LAUNCHER)

/**
 * From now on this process ends when its launcher does, between two steps.
 *
 * @returns what lets it end by itself again
 */
export function endWithLauncher(): () => void {
  if (!isLaunched() || !process.connected) return () => {}
  const end = (): void => {
    console.error('vitral: the launcher is gone; this process ends.')
    process.exit(1)
  }
  process.once('disconnect', end)
  return () => {
    process.off('disconnect', end)
    if (process.connected) process.disconnect()
  }
}
