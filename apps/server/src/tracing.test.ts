/** Traces sent to a real HTTP server as the collector, and to one that is down. */
import { afterEach, expect, test } from 'bun:test'
import { createFakeEngine } from '../test/support/fake-engine.ts'
import { images, post } from '../test/support/requests.ts'
import { type RunningServer, startServer } from './serve.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Record<string, unknown> }[]
}

interface Sent {
  resourceSpans: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }[]
}

const servers: { stop(): unknown }[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

function startCollector(): { url: string; sent: Sent[] } {
  const sent: Sent[] = []
  const collector = Bun.serve({
    port: 0,
    async fetch(request) {
      if (new URL(request.url).pathname === '/v1/traces') sent.push((await request.json()) as Sent)
      return Response.json({})
    },
  })
  servers.push(collector)
  return { url: collector.url.href, sent }
}

async function start(endpoint: string): Promise<RunningServer> {
  const server = await startServer({ port: 0, log: false, tracing: { endpoint } }, { engine: createFakeEngine() })
  servers.push(server)
  return server
}

const attributesOf = (attributes: Span['attributes']): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

test('a request is a span of its caller’s trace with its stages as children, sent before the server ends', async () => {
  const { url, sent } = startCollector()
  const server = await start(url)
  const [model] = ((await (await fetch(new URL('v1/models', server.url))).json()) as { models: { name: string }[] })
    .models
  const [traceId, caller] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
  const classify = new URL(`v1/models/${model?.name}/classify`, server.url)
  const response = await fetch(classify, post(images.jpeg, { traceparent: `00-${traceId}-${caller}-01` }))
  expect(response.status).toBe(200)
  const refused = await fetch(classify, post(new Uint8Array([1, 2, 3])))
  const { code } = (await refused.json()) as { code: string }
  await server.stop()

  const [{ resource }] = sent.flatMap(({ resourceSpans }) => resourceSpans) as [Sent['resourceSpans'][number]]
  expect(attributesOf(resource.attributes)).toMatchObject({ 'service.name': 'vitral' })
  const spans = sent.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(s => s.spans)),
  )
  const request = spans.find(({ parentSpanId }) => parentSpanId === caller) as Span
  expect(request).toMatchObject({ traceId, kind: 2 })
  expect(request.name).toMatch(/^POST \/v1\/models\/.*\/classify$/)
  expect(attributesOf(request.attributes)).toMatchObject({
    'http.request.method': 'POST',
    'http.route': request.name.slice('POST '.length),
    'http.response.status_code': 200,
    'vitral.model': model?.name,
    'vitral.request_id': response.headers.get('x-request-id'),
  })
  const stages = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId)
  expect(stages.map(({ name }) => name).sort()).toEqual(['compute', 'decode', 'queue'])
  for (const stage of stages)
    expect(BigInt(stage.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(stage.startTimeUnixNano))
  const wrong = spans.find(({ attributes }) => attributesOf(attributes)['http.response.status_code'] === refused.status)
  expect(attributesOf(wrong?.attributes ?? [])).toMatchObject({ 'error.type': code })
  expect(wrong?.traceId).not.toBe(traceId)
})

test('a collector that is down delays no request', async () => {
  const server = await start('http://127.0.0.1:9')
  const [model] = ((await (await fetch(new URL('v1/models', server.url))).json()) as { models: { name: string }[] })
    .models
  const answers = Array.from({ length: 20 }, () =>
    fetch(new URL(`v1/models/${model?.name}/classify`, server.url), post(images.jpeg)),
  )
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  expect(await server.stop()).toBe(true)
}, 60_000)
