/** Starts and stops the server: its port, its engine, and the order of the shutdown. Needs Bun. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createApp } from './app.ts'
import { type Config, type ConfigInput, parseConfig } from './config.ts'
import type { Engine, ManagedEngine } from './engine.ts'
import { limitLog, log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createEngine } from './models/create-engine.ts'
import type { EngineOptions } from './models/options.ts'
import type { Tracing } from './tracing.ts'

/** A server that listens. */
export interface RunningServer {
  /** Address to send requests to. */
  url: URL
  /** Port it listens on; the chosen one if the configuration says 0. */
  port: number
  /**
   * Shuts down: /v2/health/ready fails, accepted requests are finished, then the engine and the port are closed.
   *
   * @returns whether all requests were finished in time
   */
  stop(): Promise<boolean>
}

/** Options of startServer that are not configuration. */
export interface ServerOptions {
  /** Engine to serve. @default one created by the configuration */
  engine?: Engine
  /** Aborts the start, such as a long load, and ends what was started. */
  signal?: AbortSignal
}

/**
 * Listens, then loads the models; until they are loaded, only /v2/health/live succeeds.
 *
 * @throws Error of one line: the configuration is invalid, the port is taken, or a model cannot be loaded
 * @example
 * const server = await startServer({ models: [{ name: 'vit', folder: 'models/vit' }] })
 */
export async function startServer(input: ConfigInput, options: ServerOptions = {}): Promise<RunningServer> {
  const config = parseConfig(input)
  const { limits, timeouts } = config
  limitLog(config.logLinesPerSecond)
  let handle: (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response> = answerWhileLoading
  let isDraining = false
  const server = listen({
    hostname: config.host,
    port: config.port,
    idleTimeout: timeouts.idleSeconds,
    // A body larger than any route accepts is rejected before a byte of it is read.
    maxRequestBodySize: Math.max(limits.tensorBytes, limits.multipartBytes, limits.imageBytes * 2) + 64 * 1024,
    development: false,
    // With reusePort, a second server would silently share the port.
    reusePort: false,
    fetch: async (request, server) => {
      const response = await handle(request, server)
      // A client with a keep-alive connection must not keep the server alive.
      if (isDraining) response.headers.set('Connection', 'close')
      return response
    },
  })
  let engine: Engine & Partial<ManagedEngine>
  const metrics = createMetrics({ load: () => engine?.load() ?? [], memory: () => engine?.memory?.() ?? [] })
  try {
    engine = options.engine ?? (await startEngine(config, metrics.event, options.signal))
  } catch (error) {
    await server.stop(true)
    throw error
  }
  const tracing = await tracingOf(config)
  const app = createApp({ engine, config, metrics, tracing: tracing?.middleware, isDraining: () => isDraining })
  handle = (request, server) => app.fetch(request, server)
  let stopped: Promise<boolean> | undefined
  return {
    url: server.url,
    port: server.port as number,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }

  async function stop(): Promise<boolean> {
    isDraining = true
    await Bun.sleep(timeouts.drainDelayMilliseconds)
    // Bun closes connections that it has not read from, where requests wait if the server was held up: one turn of the event
    // loop accepts these connections, the next one begins to read them.
    for (const _ of ['accept', 'read']) await nextTurn()
    void server.stop()
    const end = performance.now() + timeouts.drainMilliseconds
    while (server.pendingRequests > 0 && performance.now() < end) await Bun.sleep(10)
    const isDone = server.pendingRequests === 0
    // The engine gets what the requests have left of the drain time, or a model that hangs would take it twice.
    const isClosed = await engine.close(Math.max(0, end - performance.now())).then(
      () => true,
      () => false,
    )
    await server.stop(true)
    await tracing?.stop()
    return isDone && isClosed
  }
}

/** Starts tracing, whose modules are loaded only if there is an endpoint. */
async function tracingOf({ tracing }: Config): Promise<Tracing | undefined> {
  const endpoint = tracing.endpoint ?? process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!endpoint) return undefined
  const { startTracing } = await import('./tracing.ts')
  return startTracing({ endpoint, serviceName: tracing.serviceName ?? process.env.OTEL_SERVICE_NAME ?? 'vitral' })
}

/** @throws Error of one line, such as for a port that is taken */
function listen(options: Bun.Serve.Options<undefined>): Bun.Server<undefined> {
  try {
    return Bun.serve(options)
  } catch (error) {
    const { hostname, port } = options as { hostname: string; port: number }
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'it is taken; choose another with --port' : message
    throw new Error(`The server cannot listen on port ${port} of ${hostname}: ${reason}.`, { cause: error })
  }
}

function startEngine(
  { models, engine, limits, timeouts, log: isLogged }: ReturnType<typeof parseConfig>,
  count: ReturnType<typeof createMetrics>['event'],
  signal: AbortSignal | undefined,
): Promise<ManagedEngine> {
  const options: EngineOptions = {
    models,
    memoryBudget: engine.memoryBytes ?? undefined,
    decoders: engine.decoders,
    decodeTimeoutSeconds: engine.decodeSeconds,
    queueTimeout: engine.queueMilliseconds,
    watchdog: engine.watchdogMilliseconds,
    watchInterval: engine.watchMilliseconds,
    maxPixels: limits.imagePixels,
    maxInputs: limits.imagesPerRequest,
    timeout: timeouts.requestMilliseconds,
    drainTimeout: timeouts.drainMilliseconds,
    onEvent(event) {
      count(event)
      if (event.event === 'batch' || !isLogged) return
      const { event: message, ...fields } = event
      log(message.endsWith('failed') ? 'error' : 'info', message, fields)
    },
  }
  return createEngine(options, { signal })
}

function answerWhileLoading(request: Request): Response {
  if (new URL(request.url).pathname === '/v2/health/live') return Response.json({ live: true })
  const headers = { 'Retry-After': '1' }
  return Response.json(
    { error: 'The models are being loaded; try again.', code: 'not_ready' },
    { status: 503, headers },
  )
}
