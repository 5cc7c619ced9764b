/**
 * A hundred thousand real requests to a real server: every answer must be that of its image, and memory and
 * open files must stay as they are.
 *
 *   bun benchmarks/src/serving/soak.ts [MODEL] [--requests N] [--clients N]
 */
import { readdirSync, readFileSync } from 'node:fs'
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

Sends JPEG, PNG and WebP images to a server of MODEL (examples/pretrained), and prints what it answers and how much memory
its processes have resident. Of a hundred requests 10 are images that are cut off, 5 go before they are answered, and 5 are
of a format that is refused. Exits with 1 where an answer differs from the first of its image, where the last half of the
run has more memory than the first one by more than a tenth, or where files are open at the end that were not at the start.`)
  process.exit(0)
}
const whole = 18
const [requests, clients] = [Number(values.requests), Number(values.clients)]

/** Files of several formats and sizes: the first of them whole, the others cut off. */
async function images(): Promise<Uint8Array<ArrayBuffer>[]> {
  const made = Array.from({ length: 24 }, async (_, i) => {
    const noise = { type: 'gaussian', mean: 100 + 3 * i, sigma: 10 + i } as const
    const picture = sharp({
      create: { width: 40 + 17 * i, height: 30 + 11 * i, channels: 3, background: '#345', noise },
    })
    const file = await [picture.jpeg(), picture.png(), picture.webp()][i % 3]?.toBuffer()
    const bytes = Uint8Array.from(file ?? [])
    return i < whole ? bytes : bytes.slice(0, bytes.length >> 1)
  })
  return await Promise.all(made)
}

const server = await ServerProcess.startVitral(positionals[0] ?? pretrained)
const files = await images()
const gif = Uint8Array.from(
  await sharp({ create: { width: 9, height: 9, channels: 3, background: '#345' } })
    .gif()
    .toBuffer(),
)
const first = new Map<number, string>()
const counts = new Map<number, number>()
const memory: number[] = []
let [sent, answered, different, left] = [0, 0, 0, 0]
const start = performance.now()

async function client(): Promise<void> {
  while (sent < requests) {
    const number = sent++
    const kind = number % 20
    // Of twenty one leaves, one is of another format, two are cut off.
    const i =
      kind === 1 ? files.length : kind > 1 && kind < 4 ? whole + (number % (files.length - whole)) : number % whole
    const response = await fetch(server.url, {
      method: 'POST',
      body: i === files.length ? gif : (files[i] as Uint8Array<ArrayBuffer>),
      headers: { 'content-type': 'application/octet-stream' },
      ...(kind === 0 && { signal: AbortSignal.timeout(number % 7) }),
    }).catch(() => undefined)
    const text = await response?.text().catch(() => undefined)
    if (!response || text === undefined) {
      if (kind !== 0) throw new Error('A request that did not leave got no answer.')
      left++
      continue
    }
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
    `${answered} requests, ${(answered / seconds).toFixed(0)} a second, ${statuses.join(', ')}, ${memory.at(-1)?.toFixed(0)} MiB, ${left} left, ${different} answers differ`,
  )
}

/** Of the server and the processes that it has started. */
function openFiles(): number {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ').map(Number)
  return [server.pid, ...children].reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
}

/** What stays open: connections that the clients keep are closed a while after the last request. */
async function openFilesAtRest(most: number): Promise<number> {
  for (let wait = 0; wait < 400 && openFiles() > most; wait++) await Bun.sleep(100)
  return openFiles()
}

let filesOpened = 0
try {
  const warm = await fetch(server.url, { method: 'POST', body: gif, headers: { connection: 'close' } })
  await warm.arrayBuffer()
  const before = openFiles()
  await Promise.all(Array.from({ length: clients }, client))
  filesOpened = (await openFilesAtRest(before)) - before
} finally {
  await server.stop()
}
const most = (part: readonly number[]): number => Math.max(...part)
const half = memory.length >> 1
const grown = most(memory.slice(half)) / most(memory.slice(2, half))
const unexpected = [...counts.keys()].filter(status => ![200, 415, 422].includes(status))
console.log(`Memory of the last half is ${grown.toFixed(3)} times that of the first.`)
console.log(`${filesOpened} more files are open than before.`)
if (different > 0 || grown > 1.1 || unexpected.length > 0 || filesOpened > 0) process.exitCode = 1
