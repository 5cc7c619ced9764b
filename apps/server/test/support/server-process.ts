/**
 * The server in a process of its own, with an engine that is made up: what signals, a second start and slow clients do to
 * it. CONFIG in the environment is more of its configuration, as JSON.
 */
import { type ConfigInput, startServer } from '../../src/index.ts'
import { runServer } from '../../src/run.ts'
import { createFakeEngine } from './fake-engine.ts'

const engine = createFakeEngine()
engine.delay = Number(process.env.DELAY ?? 0)
const rateLimit = process.env.RATE
  ? { perAddress: { requestsPerSecond: Number(process.env.RATE), burst: 5 } }
  : undefined
const logLinesPerSecond = Number(process.env.LOG_LINES ?? 1000)
const config = { port: Number(process.env.PORT ?? 0), logLinesPerSecond, rateLimit }
const more = JSON.parse(process.env.CONFIG ?? '{}') as ConfigInput
process.exitCode = await runServer({ ...config, ...more }, config => startServer(config, { engine })).catch(
  (error: Error) => {
    console.error(error.message)
    return 1
  },
)
