/** The life of a server process: from its start to the signal that ends it. */
import type { ConfigInput } from './config.ts'
import { log } from './log.ts'
import { type RunningServer, startServer } from './serve.ts'

/**
 * Serves until SIGTERM or SIGINT, then finishes what was accepted; a second signal ends the process at once.
 *
 * @returns the exit code: 0 when everything was finished
 * @throws what startServer throws
 */
export async function runServer(
  config: ConfigInput,
  start: (config: ConfigInput) => Promise<RunningServer> = startServer,
): Promise<number> {
  const { promise: signalled, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let isEnding = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isEnding) process.exit(1)
    isEnding = true
    resolve(signal)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal)
  try {
    // A signal that comes while models are loaded ends the process as well.
    const server = await Promise.race([start(config), signalled.then(() => undefined)])
    if (!server) return 1
    log('info', 'listening', { url: server.url.href })
    const signal = await signalled
    log('info', 'draining', { signal })
    const isFinished = await server.stop()
    log(isFinished ? 'info' : 'error', 'stopped', { finished: isFinished })
    return isFinished ? 0 : 1
  } finally {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, onSignal)
  }
}
