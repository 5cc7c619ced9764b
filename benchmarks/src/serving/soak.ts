/**
 * A hundred thousand real requests to a real server, 80 in a hundred good, 10 damaged, 5 of a format that is refused and 5 given
 * up: every answer must be that of its image, and memory and open files must stay as they are.
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
of a format that is refused. Exits with 1 where an answer differs from the first of its image, where the processes have more
than 16 MiB more at the end than after a fifth of the requests, or where files are open at the end that were not at the start.
Below some 50,000 requests the memory has not come to rest, and says little.`)
  process.exit(0)
}
const whole = 18
/** MiB from a fifth of the requests to the last. */
const mostGrown = 16
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
/** MiB resident, two hundred times in the run. */
const memory: number[] = []
let [sent, done, different, left] = [0, 0, 0, 0]
const start = performance.now()

async function client(): Promise<void> {
  while (sent < requests) {
    const number = sent++
    const kind = number % 20
    // One client in twenty leaves, one is of another format, two are cut off.
    const i =
      kind === 1 ? files.length : kind > 1 && kind < 4 ? whole + (number % (files.length - whole)) : number % whole
    const response = await fetch(server.url, {
      method: 'POST',
      body: i === files.length ? gif : (files[i] as Uint8Array<ArrayBuffer>),
      headers: { 'content-type': 'application/octet-stream' },
      ...(kind === 0 && { signal: AbortSignal.timeout(number % 7) }),
    }).catch(() => undefined)
    const text = await response?.text().catch(() => undefined)
    if (++done % Math.ceil(requests / 200) === 0) memory.push(residentMiB(server.pid))
    if (done % Math.ceil(requests / 20) === 0) report()
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
  }
}

function report(): void {
  const seconds = (performance.now() - start) / 1000
  const statuses = [...counts].sort().map(([status, count]) => `${status}: ${count}`)
  console.log(
    `${done} requests, ${(done / seconds).toFixed(0)} a second, ${statuses.join(', ')}, ${memory.at(-1)?.toFixed(0)} MiB, ${left} left, ${different} answers differ`,
  )
}

/** Open files of the server and the processes that it has started. */
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
/** The median of a twentieth of the run that ends with that share of the requests: one reading is by chance. */
function memoryAt(share: number): number {
  const end = Math.round(share * memory.length)
  const part = memory.slice(end - Math.ceil(memory.length / 20), end).sort((a, b) => a - b)
  return part[part.length >> 1] ?? Number.NaN
}
const [early, late] = [memoryAt(0.2), memoryAt(1)]
const unexpected = [...counts.keys()].filter(status => ![200, 415, 422].includes(status))
const bounds: [string, boolean][] = [
  [`${different} answers differ from the first of their image; none may.`, different === 0],
  [`${unexpected.join(', ') || 'No other'} statuses than 200, 415 and 422.`, unexpected.length === 0],
  [
    `${early.toFixed(1)} MiB after ${requests / 5} requests, ${late.toFixed(1)} after ${requests}: ${(late - early).toFixed(1)} more, of ${mostGrown} that may be.`,
    late - early <= mostGrown,
  ],
  [`${filesOpened} more files are open than before; none may be.`, filesOpened <= 0],
]
for (const [text, holds] of bounds) console.log(`${holds ? 'ok    ' : 'FAILED'}  ${text}`)
if (!bounds.every(([, holds]) => holds)) process.exitCode = 1
