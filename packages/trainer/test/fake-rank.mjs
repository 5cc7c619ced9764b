/** A process of several for tests of the launcher: does what its first argument says. */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'

const [what, log] = process.argv.slice(2)
const { RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, RESTART_COUNT } = process.env
const tell = facts => appendFileSync(log, `${JSON.stringify({ rank: Number(RANK), pid: process.pid, ...facts })}\n`)
const forever = () => setInterval(() => {}, 1000)

const acts = {
  tell: () => tell({ WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, RESTART_COUNT }),
  wait: () => {
    tell({ RESTART_COUNT })
    forever()
  },
  throw: () => {
    tell({ RESTART_COUNT })
    if (RANK !== '1') return forever()
    console.error('what went wrong')
    process.exit(7)
  },
  'throw once': () => {
    tell({ RESTART_COUNT, WORLD_SIZE, args: process.argv.slice(4) })
    if (RANK === '1' && RESTART_COUNT === '0') process.exit(7)
    if (RESTART_COUNT === '0') forever()
  },
  grandchild: () => {
    const child = spawn('sleep', ['1000'], { stdio: 'inherit' })
    tell({ grandchild: child.pid })
    forever()
  },
  stubborn: () => {
    process.on('SIGTERM', () => {})
    tell({})
    forever()
  },
  'two of three end': () => {
    tell({})
    if (RANK === '1') forever()
  },
  'wait in vain': () => {
    tell({})
    if (RANK === '1') return forever()
    process.send({ waitedFor: 1 }, () => process.exit(3))
  },
  'wait for one that fails': () => {
    tell({})
    if (RANK !== '1') return process.send({ waitedFor: 1 }, () => process.exit(3))
    process.on('SIGTERM', () => {})
    setTimeout(() => process.exit(7), 300)
  },
  save: () => {
    process.on('SIGINT', () => setTimeout(() => process.exit(130), RANK === '0' ? 1500 : 10))
    tell({})
    forever()
  },
}
acts[what]()

if (process.connected) {
  process.once('disconnect', () => process.exit(1))
  if (what.startsWith('t')) process.channel?.unref()
}
