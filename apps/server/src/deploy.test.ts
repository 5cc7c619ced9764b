/** What describes the server's container, held against the server: paths, ports, probes and the metric exist. */
import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFakeEngine } from '../test/fake-engine.ts'
import { createApp } from './app.ts'
import { parseConfig } from './config.ts'
import { createMetrics } from './metrics.ts'

const root = join(import.meta.dir, '../../..')
const folder = join(import.meta.dir, '../deploy')
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
// biome-ignore lint/suspicious/noExplicitAny: a document of any shape, whose fields the tests look for.
const documents = (name: string): any[] => [Bun.YAML.parse(read(name))].flat()

const workspaces = (): string[] =>
  ['packages', 'apps'].flatMap(parent =>
    readdirSync(join(root, parent)).flatMap(name => {
      const path = join(root, parent, name, 'package.json')
      return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).name : []
    }),
  )

const engine = createFakeEngine()
const app = createApp({ engine, metrics: createMetrics(engine) })
const get = async (path: string) => app.request(path)

test('the probes are routes that answer', async () => {
  const [deployment] = documents('kubernetes.yaml')
  const [container] = deployment.spec.template.spec.containers
  for (const { httpGet } of [container.livenessProbe, container.readinessProbe])
    expect((await get(httpGet.path)).status).toBe(200)
  expect(read('Dockerfile')).toContain(container.livenessProbe.httpGet.path)
})

test('the autoscaler looks at a metric that there is', async () => {
  const autoscaler = documents('kubernetes.yaml').find(({ kind }) => kind === 'HorizontalPodAutoscaler')
  const { name } = autoscaler.spec.metrics[0].pods.metric
  expect(await (await get('/metrics')).text()).toContain(`# TYPE ${name} gauge`)
  expect(autoscaler.spec.scaleTargetRef.name).toBe(documents('kubernetes.yaml')[0].metadata.name)
})

test('ports agree, and the container is not root and changes nothing', () => {
  const [deployment, service] = documents('kubernetes.yaml')
  const [container] = deployment.spec.template.spec.containers
  expect(container.args).toContain(String(container.ports[0].containerPort))
  expect(service.spec.ports[0].targetPort).toBe(container.ports[0].name)
  expect(read('Dockerfile')).toContain(`EXPOSE ${container.ports[0].containerPort}`)
  expect(read('Dockerfile')).toMatch(/^USER bun$/m)
  expect(deployment.spec.template.spec.securityContext.runAsNonRoot).toBe(true)
  expect(container.securityContext.readOnlyRootFilesystem).toBe(true)
  const [{ services }] = documents('compose.yaml')
  expect(services.vitral).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
})

test('a pod takes requests until nobody sends it any, and has the time to answer them', () => {
  const [deployment] = documents('kubernetes.yaml')
  const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec
  const [command, seconds] = containers[0].lifecycle.preStop.exec.command
  expect(command).toBe('sleep')
  const { drainMilliseconds, drainDelayMilliseconds } = parseConfig({}).timeouts
  const needed = Number(seconds) + (drainDelayMilliseconds + drainMilliseconds) / 1000
  expect(terminationGracePeriodSeconds).toBeGreaterThan(needed)
})

test('what the image is made of is in the repository', () => {
  const [{ services }] = documents('compose.yaml')
  const { build, volumes } = services.vitral
  expect(existsSync(join(folder, build.context, build.dockerfile))).toBe(true)
  for (const volume of volumes) expect(existsSync(join(folder, volume.split(':')[0]))).toBe(true)
  const entry = /ENTRYPOINT \["bun", "([^"]+)"/.exec(read('Dockerfile'))?.[1] as string
  expect(existsSync(join(root, entry))).toBe(true)
  // What is copied from the repository's tree, and from what is built in it.
  const copied = [...read('Dockerfile').matchAll(/^COPY --from=program \/vitral\/(\S+)/gm)].map(([, path]) => path)
  expect(copied).toEqual(['package.json', 'node_modules', 'packages', 'apps/server'])
  for (const [, name] of read('Dockerfile').matchAll(/--filter '([^']+)'/g))
    expect(workspaces()).toContain(name as string)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.match(
    /@(?<version>.*)/,
  ).groups
  for (const [, bun] of read('Dockerfile').matchAll(/FROM oven\/bun:([\d.]+)/g)) expect(bun).toBe(version)
})
