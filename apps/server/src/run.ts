/** Runs a server process from its start to the signal that ends it. */
import { ignoresHangup } from '@vitral/core/hangup'
import { type ConfigInput, parseConfig } from './config.ts'
import { log } from './log.ts'
import { type RunningServer, type ServerOptions, startServer } from './serve.ts'

/** Milliseconds beyond the drain time after which the process exits, whatever is left. */
const GRACE = 5000

/**
 * Serves until SIGTERM, SIGINT or SIGHUP, then finishes accepted requests and aborts loads; a second signal exits at once. The
 * process exits within the drain time, whatever it is working on.
 *
 * @returns the exit code: 0 if all requests were finished
 * @throws the errors of startServer
 */
export async function runServer(
  config: ConfigInput,
  start: (config: ConfigInput, options: Pick<ServerOptions, 'signal'>) => Promise<RunningServer> = startServer,
): Promise<number> {
  const { drainDelayMilliseconds, drainMilliseconds } = parseConfig(config).timeouts
  const { promise: signalled, resolve } = Promise.withResolvers<undefined>()
  const starting = new AbortController()
  let isEnding = false
  const signals = ['SIGTERM', 'SIGINT', ...(ignoresHangup() ? [] : ['SIGHUP' as const])] as const
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isEnding) process.exit(1)
    isEnding = true
    log('info', 'draining', { signal })
    const late = (): void => {
      log('error', 'stopped', { finished: false })
      process.exit(1)
    }
    // The timer is unreferenced, so that it does not keep the process alive.
    setTimeout(late, drainDelayMilliseconds + drainMilliseconds + GRACE).unref()
    starting.abort()
    resolve(undefined)
  }
  for (const signal of signals) process.on(signal, onSignal)
  try {
    const server = await start(config, { signal: starting.signal }).catch((error: unknown) => {
      if (!isEnding) throw error
      return undefined
    })
    if (server) {
      log('info', 'listening', { url: server.url.href })
      await signalled
    }
    const isFinished = (await server?.stop()) ?? true
    log(isFinished ? 'info' : 'error', 'stopped', { finished: isFinished })
    return isFinished ? 0 : 1
  } finally {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
