/**
 * Traces for OpenTelemetry: a span for each request, with the engine's stages in it, sent to a collector by OTLP over HTTP.
 * Attributes are those of the semantic conventions for HTTP; no image, body or key is in them.
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
  /** Sends what has not been sent. */
  stop(): Promise<void>
}

interface TracingOptions {
  /** The collector's address, such as http://localhost:4318. */
  endpoint: string
  serviceName: string
}

export function startTracing({ endpoint, serviceName }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 5000 })
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    // Its queue is bounded: of a collector that does not answer the server notices nothing but a line.
    spanProcessors: [new BatchSpanProcessor(warnOnce(exporter))],
  })
  return {
    middleware: traceRequests(provider.getTracer('@vitral/server', version)),
    stop: () => provider.shutdown().catch(() => {}), // told by warnOnce
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

/** A collector that is down is said once, until it is back. */
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
