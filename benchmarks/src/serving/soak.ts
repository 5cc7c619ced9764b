/**
 * A hundred thousand real requests to a real server: every answer must be that of its image, and memory must stay flat.
 *
 *   bun benchmarks/src/serving/soak.ts [MODEL] [--requests N] [--clients N]
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { residentMiB } from '../machine.ts'
import { ServerProcess } from './server-process.ts'

const pretrained = fileURLToPath(new URL('../../../examples/pretrained', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '16' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`Usage: bun benchmarks/src/serving/soak.ts [MODEL] [--requests N (100000)] [--clients N (16)]

Sends JPEG, PNG and WebP images, and broken ones, to a server of MODEL (examples/pretrained), and prints what it answers and
how much memory its processes have resident. Exits with 1 where an answer differs from the first of its image, or where the
last half of the run has more memory than the first one by more than a tenth.`)
  process.exit(0)
}
const [requests, clients] = [Number(values.requests), Number(values.clients)]

/** Files of several formats and sizes, and some that are cut off. */
async function images(): Promise<Uint8Array<ArrayBuffer>[]> {
  const made = Array.from({ length: 24 }, async (_, i) => {
    const noise = { type: 'gaussian', mean: 100 + 3 * i, sigma: 10 + i } as const
    const picture = sharp({
      create: { width: 40 + 17 * i, height: 30 + 11 * i, channels: 3, background: '#345', noise },
    })
    const whole = await [picture.jpeg(), picture.png(), picture.webp()][i % 3]?.toBuffer()
    const bytes = Uint8Array.from(whole ?? [])
    return i % 8 === 7 ? bytes.slice(0, bytes.length >> 1) : bytes
  })
  return await Promise.all(made)
}

const server = await ServerProcess.startVitral(positionals[0] ?? pretrained)
const files = await images()
const first = new Map<number, string>()
const counts = new Map<number, number>()
const memory: number[] = []
let [sent, answered, different] = [0, 0, 0]
const start = performance.now()

async function client(): Promise<void> {
  while (sent < requests) {
    const i = sent++ % files.length
    const headers = { 'content-type': 'application/octet-stream' }
    const response = await fetch(server.url, { method: 'POST', body: files[i] as Uint8Array<ArrayBuffer>, headers })
    const text = await response.text()
    counts.set(response.status, (counts.get(response.status) ?? 0) + 1)
    // Scores of one image may differ in the last digits with the batch that it is in.
    const answer = `${response.status} ${/"label":"[^"]*"/.exec(text)?.[0] ?? ''}`
    if (!first.has(i)) first.set(i, answer)
    else if (first.get(i) !== answer) different++
    if (++answered % Math.ceil(requests / 20) === 0) report()
  }
}

function report(): void {
  memory.push(residentMiB(server.pid))
  const seconds = (performance.now() - start) / 1000
  const statuses = [...counts].sort().map(([status, count]) => `${status}: ${count}`)
  console.log(
    `${answered} requests, ${(answered / seconds).toFixed(0)} a second, ${statuses.join(', ')}, ${memory.at(-1)?.toFixed(0)} MiB, ${different} answers differ`,
  )
}

try {
  await Promise.all(Array.from({ length: clients }, client))
} finally {
  await server.stop()
}
const most = (part: readonly number[]): number => Math.max(...part)
const half = memory.length >> 1
const grown = most(memory.slice(half)) / most(memory.slice(2, half))
const unexpected = [...counts.keys()].filter(status => ![200, 422].includes(status))
console.log(`Memory of the last half is ${grown.toFixed(3)} times that of the first.`)
if (different > 0 || grown > 1.1 || unexpected.length > 0) process.exitCode = 1
