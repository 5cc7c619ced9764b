/** The container's files, linted and compared with the server: paths, ports, probes and the metric exist. */
import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate as lintDockerfile } from 'dockerfile-utils'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createFakeEngine } from '../support/fake-engine.ts'
import { composeSchema, kubernetesSchema } from '../support/manifest-schemas.ts'

const root = join(import.meta.dir, '../../../..')
const folder = join(import.meta.dir, '../../deploy')
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

test('the manifests have only known fields of the right types', () => {
  kubernetesSchema.parse(documents('kubernetes.yaml'))
  composeSchema.parse(documents('compose.yaml')[0])
})

test('the Dockerfile has only known instructions and pinned images', () => {
  const dockerfile = read('Dockerfile')
  expect(lintDockerfile(dockerfile)).toEqual([])
  expect(lintDockerfile(dockerfile.replace('EXPOSE', 'EXPOSES'))).toHaveLength(1)
  const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)/gm)].map(([, stage]) => stage as string)
  for (const [, from] of dockerfile.matchAll(/^FROM (\S+)/gm))
    if (!stages.includes(from as string)) expect(from).toMatch(/:\d+\.\d+\.\d+/)
  for (const [, from] of dockerfile.matchAll(/--from=(\S+)/g)) expect(stages).toContain(from as string)
  for (const [run] of dockerfile.matchAll(/^RUN apt-get .*/gm)) {
    expect(run).toContain('--no-install-recommends')
    expect(run).toEndWith('rm -rf /var/lib/apt/lists/*')
  }
  for (const [install] of dockerfile.matchAll(/bun install.*?(&&|$)/gm)) expect(install).toContain('--frozen-lockfile')
})

test('the probes name routes that answer', async () => {
  const [deployment] = documents('kubernetes.yaml')
  const [container] = deployment.spec.template.spec.containers
  for (const { httpGet } of [container.livenessProbe, container.readinessProbe])
    expect((await get(httpGet.path)).status).toBe(200)
  expect(read('Dockerfile')).toContain(container.livenessProbe.httpGet.path)
})

test('the autoscaler uses a metric that exists', async () => {
  const autoscaler = documents('kubernetes.yaml').find(({ kind }) => kind === 'HorizontalPodAutoscaler')
  const metrics = await (await get('/metrics')).text()
  for (const { pods } of autoscaler.spec.metrics) expect(metrics).toContain(`# TYPE ${pods.metric.name} gauge`)
  expect(autoscaler.spec.scaleTargetRef.name).toBe(documents('kubernetes.yaml')[0].metadata.name)
})

test('the container’s ports agree, it is not root, its file system is read-only, and its resources are limited', () => {
  const [deployment, service] = documents('kubernetes.yaml')
  const [container] = deployment.spec.template.spec.containers
  expect(container.args).toContain(String(container.ports[0].containerPort))
  expect(service.spec.ports[0].targetPort).toBe(container.ports[0].name)
  expect(read('Dockerfile')).toContain(`EXPOSE ${container.ports[0].containerPort}`)
  expect(read('Dockerfile')).toMatch(/^USER bun$/m)
  expect(deployment.spec.template.spec).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  })
  expect(deployment.spec.template.spec.securityContext.runAsUser).toBeGreaterThan(0)
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  expect(container.image).toMatch(/:(?!latest$)[\w.-]+$/)
  expect(container.resources.limits.memory).toBeString()
  expect(deployment.spec.template.metadata.labels).toMatchObject(deployment.spec.selector.matchLabels)
  expect(deployment.spec.template.metadata.labels).toMatchObject(service.spec.selector)
  const [{ services }] = documents('compose.yaml')
  expect(services.vitral).toMatchObject({
    ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
    mem_limit: expect.any(String),
  })
})

test('a pod accepts requests until none are routed to it, and has time to answer them', () => {
  const [deployment] = documents('kubernetes.yaml')
  const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec
  const [command, seconds] = containers[0].lifecycle.preStop.exec.command
  expect(command).toBe('sleep')
  const { drainMilliseconds, drainDelayMilliseconds } = parseConfig({}).timeouts
  const needed = Number(seconds) + (drainDelayMilliseconds + drainMilliseconds) / 1000
  expect(terminationGracePeriodSeconds).toBeGreaterThan(needed)
  const [{ services }] = documents('compose.yaml')
  expect(Number.parseInt(services.vitral.stop_grace_period, 10)).toBeGreaterThan(drainMilliseconds / 1000)
})

test('the files of the image are in the repository', () => {
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
