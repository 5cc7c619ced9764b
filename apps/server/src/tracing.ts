/**
 * Traces for OpenTelemetry: a span for each request with the engine's stages as children, sent to a collector by OTLP over HTTP.
 * Attributes follow the semantic conventions for HTTP; they contain no image, body or key.
 */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { type ExportResult, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base'
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { toRequestError } from './errors.ts'
import { log } from './log.ts'
import type { AppEnv } from './services.ts'
import { version } from './version.ts'

export interface Tracing {
  middleware: MiddlewareHandler<AppEnv>
  /** Sends the remaining spans. */
  stop(): Promise<void>
}

interface TracingOptions {
  /** Address of the collector, such as http://localhost:4318. */
  endpoint: string
  serviceName: string
}

export function startTracing({ endpoint, serviceName }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 5000 })
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    // The processor's queue is bounded: a collector that does not answer costs the server no more than a log line.
    spanProcessors: [new BatchSpanProcessor(warnOnce(exporter))],
  })
  return {
    middleware: traceRequests(provider.getTracer('@vitral/server', version)),
    stop: () => provider.shutdown().catch(() => {}), // warnOnce has logged the error
  }
}

const propagator = new W3CTraceContextPropagator()
const headers = {
  get: (request: Request, name: string) => request.headers.get(name) ?? undefined,
  keys: (request: Request) => [...request.headers.keys()],
}

function traceRequests(tracer: Tracer): MiddlewareHandler<AppEnv> {
  return async function traceRequest(context, next) {
    const { method, path } = context.req
    const parent = propagator.extract(ROOT_CONTEXT, context.req.raw, headers)
    const span = tracer.startSpan(
      method,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, 'url.path': path.slice(0, 200) } },
      parent,
    )
    await next()
    const route = routePath(context, -1)
    const { status } = context.res
    span.updateName(`${method} ${route}`)
    span.setAttributes({
      'http.route': route,
      'http.response.status_code': status,
      'vitral.request_id': context.get('requestId'),
      ...(context.get('model') && { 'vitral.model': context.get('model') }),
    })
    if (context.error) span.setAttribute('error.type', toRequestError(context.error).code)
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    const stages = context.get('stages')
    if (stages) {
      const within = trace.setSpan(parent, span)
      let end = stages.ended
      for (const name of ['compute', 'queue', 'decode'] as const) {
        const startTime = end - stages[name]
        tracer.startSpan(name, { startTime }, within).end(end)
        end = startTime
      }
    }
    span.end()
  }
}

/** Logs a collector that is down once, until it is back. */
function warnOnce(exporter: SpanExporter): SpanExporter {
  let isFailing = false
  const told = ({ code, error }: ExportResult): void => {
    if (code !== 0 && !isFailing) log('error', 'traces_not_sent', { reason: error?.message })
    isFailing = code !== 0
  }
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, result => {
        told(result)
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => await exporter.forceFlush?.(),
  }
}
