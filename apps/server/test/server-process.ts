/** The server in a process of its own, with an engine that is made up: what signals and a second start do to it. */
import { startServer } from '../src/index.ts'
import { runServer } from '../src/run.ts'
import { createFakeEngine } from './fake-engine.ts'

const engine = createFakeEngine()
engine.delay = Number(process.env.DELAY ?? 0)
const rateLimit = process.env.RATE
  ? { perAddress: { requestsPerSecond: Number(process.env.RATE), burst: 5 } }
  : undefined
const logLinesPerSecond = Number(process.env.LOG_LINES ?? 1000)
process.exitCode = await runServer({ port: Number(process.env.PORT ?? 0), logLinesPerSecond, rateLimit }, config =>
  startServer(config, { engine }),
).catch((error: Error) => {
  console.error(error.message)
  return 1
})
