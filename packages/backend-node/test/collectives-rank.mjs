/**
 * One rank of a run, for the tests of collectives: collectives-rank.mjs ENGINE TASK CONNECT-OPTIONS TASK-OPTIONS, both
 * JSON; under mpirun, which says the rank. It writes {"at": "connected"} when it is, and at the end what the task returns, or
 * the error and the rank it is of. Runs in Bun and, built, in Node.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from '@vitral/backend-node/collectives'

const tell = line => console.log(JSON.stringify(line))

/** Of many magnitudes, so that another order of the additions has other bits. */
const value = (rank, i) => Math.fround((((i + 1) * 2654435761 + rank * 40503 * 65537) >>> 0) / 2 ** (i % 40) - 1000)

function values(rank, count) {
  const array = new Float32Array(count)
  for (let i = 0; i < count; i++) array[i] = value(rank, i)
  return array
}

/** How many elements have other bits than the plain sum over the ranks. */
function wrong(sum, worldSize) {
  let count = 0
  for (let i = 0; i < sum.length; i++) {
    let expected = value(0, i)
    for (let rank = 1; rank < worldSize; rank++) expected = Math.fround(expected + value(rank, i))
    if (!Object.is(sum[i], expected)) count++
  }
  return count
}

async function forever(operation) {
  for (;;) await operation()
}

const descriptors = () => readdirSync('/proc/self/fd').length
const threads = () =>
  readdirSync('/proc/self/task').filter(
    id => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim() === 'vitral-ranks',
  ).length

const tasks = {
  async sums(collectives, { counts }) {
    const errors = []
    for (const count of counts) {
      const sum = values(collectives.rank, count)
      await collectives.allReduce(sum)
      errors.push(wrong(sum, collectives.worldSize))
    }
    return errors
  },
  /** Of an engine with an order of its own: how many sums are further off than rounding explains, and what bits they have. */
  async rounded(collectives, { counts }) {
    const { rank, worldSize } = collectives
    const bits = createHash('sha256')
    let off = 0
    for (const count of counts) {
      const sum = values(rank, count)
      await collectives.allReduce(sum)
      bits.update(sum)
      for (let i = 0; i < count; i++) {
        const terms = Array.from({ length: worldSize }, (_, of) => value(of, i))
        const exact = terms.reduce((a, b) => a + b, 0)
        const size = terms.reduce((a, b) => a + Math.abs(b), 0)
        if (!(Math.abs(sum[i] - exact) <= worldSize * size * 2 ** -24)) off++
      }
    }
    return { off, bits: bits.digest('hex') }
  },
  /** All but sums. */
  async others(collectives) {
    const { rank, worldSize } = collectives
    const bytes = new Uint8Array(5_000_001).fill(rank + 1)
    await collectives.broadcast(bytes, worldSize - 1)
    await collectives.barrier()
    const gathered = await collectives.allGather(new Uint8Array(rank * 700_000).fill(rank))
    return {
      copied: bytes.every(byte => byte === worldSize),
      gathered: gathered.map(({ length }) => length),
      right: gathered.every((array, of) => array.every(byte => byte === of)),
    }
  },
  /** Begun together, awaited in any order; the memory of a view is not that of its buffer. */
  async queued(collectives) {
    const { rank, worldSize } = collectives
    const buffer = new ArrayBuffer(400_000)
    const views = Array.from({ length: 50 }, (_, i) => new Float32Array(buffer, i * 8000, 1999))
    for (const view of views) view.set(values(rank, view.length))
    const bytes = new Uint8Array(5_000_001).fill(rank + 1)
    const own = new Uint8Array(rank * 700_000).fill(rank)
    const sums = views.map(view => collectives.allReduce(view))
    const copied = collectives.broadcast(bytes, worldSize - 1)
    const [gathered] = await Promise.all([collectives.allGather(own), collectives.barrier(), copied, ...sums])
    const between = views.map((_, i) => new Float32Array(buffer, i * 8000 + 7996, 1)[0])
    return {
      wrong: views.reduce((sum, view) => sum + wrong(view, worldSize), 0),
      between: between.every(value => value === 0),
      copied: bytes.every(byte => byte === worldSize),
      gathered: gathered.map(({ length }) => length),
      right: gathered.every((array, of) => array.every(byte => byte === of)),
    }
  },
  /** Small arrays, whose memory Bun moves once their buffer is asked for. */
  async small(collectives) {
    const array = Float32Array.of(1, 2, 3)
    const sum = collectives.allReduce(array)
    const { buffer } = array
    await sum
    return [[...array], [...new Float32Array(buffer)]]
  },
  /** Rank 1 comes last: which of its operations need no turn of the event loop, what comes of them, and in which order. */
  async late(collectives) {
    const { rank } = collectives
    const begin = [
      () => collectives.allReduce(Float32Array.of(1, 2)),
      () => collectives.allGather(Uint8Array.of(rank), { equal: true }),
      () => collectives.broadcast(Uint8Array.of(rank), 0),
      () => collectives.barrier(),
      () => collectives.allReduce(new Float32Array(5000)),
    ]
    const atOnce = []
    for (const operation of begin) {
      await collectives.barrier()
      if (rank === 1) await new Promise(done => setTimeout(done, 400))
      let isDone = false
      const done = operation().then(() => (isDone = true))
      for (let i = 0; i < 10; i++) await undefined
      atOnce.push(isDone)
      await done
    }
    const order = []
    const both = [new Float32Array(100_000), new Float32Array(1)]
    await Promise.all(both.map(values => collectives.allReduce(values).then(() => order.push(values.length))))
    return { atOnce, order }
  },
  async differs(collectives, { operations }) {
    const { rank } = collectives
    const floats = new Float32Array(10).fill(7)
    const run = {
      ten: () => collectives.allReduce(floats),
      eleven: () => collectives.allReduce(new Float32Array(11)),
      barrier: () => collectives.barrier(),
      three: () => collectives.allGather(new Uint8Array(3), { equal: true }),
      four: () => collectives.allGather(new Uint8Array(4), { equal: true }),
      fromZero: () => collectives.broadcast(new Uint8Array(40), 0),
      fromOne: () => collectives.broadcast(new Uint8Array(40), 1),
    }
    await collectives.barrier()
    const failure = await run[operations[rank]]().then(
      () => 'none',
      error => error.message,
    )
    const next = await collectives.barrier().then(
      () => 'none',
      error => error.message,
    )
    await collectives.close()
    return { failure, next, untouched: floats.every(value => value === 7) }
  },
  reduceForever: collectives => forever(() => collectives.allReduce(new Float32Array(1_000_000))),
  /** Rank 0 stays away. */
  waitForZero: collectives => (collectives.rank === 0 ? forever(() => Bun.sleep(1000)) : collectives.barrier()),
  /** Rank 0 has enough, and the others wait for it. */
  async closesEarly(collectives) {
    await collectives.barrier()
    if (collectives.rank > 0) await collectives.barrier()
    await collectives.close()
  },
  /** Rank 0 has failed, and the others wait for it. */
  async fails(collectives) {
    await collectives.barrier()
    if (collectives.rank > 0) await collectives.barrier()
    await collectives.close('the disk is full')
    if (collectives.rank === 0) process.exitCode = 1
  },
  async counted(collectives) {
    const before = { descriptors: descriptors(), threads: threads() }
    for (let i = 0; i < 1000; i++) {
      const sum = Float32Array.of(1)
      await (i % 3 ? collectives.allReduce(sum) : collectives.allGather(new Uint8Array(i), { equal: i % 2 === 0 }))
    }
    const after = { descriptors: descriptors(), threads: threads() }
    await collectives.close()
    const closed = { descriptors: descriptors(), threads: threads() }
    const refused = await collectives.barrier().catch(error => error.message)
    return { before, after, closed, refused }
  },
  /** Neither closed nor awaited: the event loop has nothing left to wait for. */
  async forgotten(collectives) {
    await collectives.barrier()
    return 'still here'
  },
  async exits(collectives) {
    collectives.allReduce(new Float32Array(30_000_000)).catch(() => {})
    if (collectives.rank === 1) await new Promise(done => setTimeout(done, 100))
    tell('exits')
    process.exit(3)
  },
}

const placeOfMpirun = env => ({
  rank: Number(env.OMPI_COMM_WORLD_RANK ?? env.PMI_RANK),
  worldSize: Number(env.OMPI_COMM_WORLD_SIZE ?? env.PMI_SIZE),
})

const optionsOf = ({ tokenByRank, ...given }) => {
  const options = { ...placeOfMpirun(process.env), ...given }
  return { ...options, token: tokenByRank?.[options.rank] ?? options.token }
}

const [engine, task, connectOptions, taskOptions = '{}'] = process.argv.slice(2)
const before = descriptors()
try {
  const interrupted = new AbortController()
  process.once('SIGUSR2', () => interrupted.abort())
  if (engine === 'local') process.once('SIGTERM', () => process.exit(3))
  const options = { ...optionsOf(JSON.parse(connectOptions)), signal: interrupted.signal }
  const collectives = await connect(engine, options)
  tell({ at: 'connected', rank: collectives.rank, pid: process.pid })
  const result = await tasks[task](collectives, JSON.parse(taskOptions))
  if (task !== 'forgotten') await collectives.close()
  tell({ result, leaked: task === 'forgotten' ? 0 : descriptors() - before })
} catch (error) {
  tell({ error: error.message, waitedFor: error.waitedFor })
  process.exitCode = 1
}
