/** `vitral train` killed with SIGKILL, again and again, and resumed: it ends as the run that was not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSafetensors } from '@vitral/core/files'
import { randomBits } from '@vitral/core/tape'
import { readCheckpoint } from '../../src/run/checkpoint-file.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-kill-'))
const data = join(folder, 'cifar-10-batches-bin')
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const epochs = 30
/** All that has a state: dropout, averages, a scaler whose scale changes, flips, validation images, tested at the end. */
const recipe = [
  ...['cifar10-demo', '--data', data, '--backend', 'cpu', '--epochs', `${epochs}`, '--batch-size', '8'],
  ...['--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1'],
  ...['--set', 'model.config.patchSize=8', '--set', 'model.config.hiddenDropoutProb=0.1'],
  ...['--set', 'transforms=cifar-32-flip', '--set', 'validation=0.1'],
  ...['--set', 'ema={"decay":0.9}', '--set', 'gradScaler={"growthInterval":7}'],
]
const stepsPerEpoch = 4 // of the 40 images 10 are for validation

function start(out: string, ...options: string[]) {
  const command = [
    process.execPath,
    join(import.meta.dirname, '../../src/cli/index.ts'),
    'train',
    ...recipe,
    '--out',
    out,
  ]
  return Bun.spawn([...command, ...options], { stdout: 'ignore', stderr: 'pipe' })
}

async function finish(out: string, ...options: string[]): Promise<void> {
  const child = start(out, ...options)
  const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  expect({ code, stderr }).toMatchObject({ code: 0 })
}

/** What a file in the run's folder would be called that is being written. */
const beingWritten = (out: string): boolean =>
  ['checkpoints', '.'].some(
    name => existsSync(join(out, name)) && readdirSync(join(out, name)).some(file => file.endsWith('.tmp')),
  )

/** Kills it after some milliseconds, or while it writes a file for the n-th time. */
async function kill(child: Bun.Subprocess, out: string, moment: Moment): Promise<void> {
  if ('milliseconds' in moment) await Promise.race([Bun.sleep(moment.milliseconds), child.exited])
  else
    for (let seen = 0, before = true; child.exitCode === null; ) {
      const now = beingWritten(out)
      if (now && !before && ++seen === moment.write) break
      before = now
      await new Promise(setImmediate)
    }
  child.kill('SIGKILL')
  await child.exited
}

type Moment = { milliseconds: number } | { write: number }

/** What is read while nobody writes: whole checkpoints, and a whole best model or none. */
async function checkWhole(out: string): Promise<void> {
  const [checkpoints, best] = [join(out, 'checkpoints'), join(out, 'best')]
  const saved = existsSync(checkpoints) ? readdirSync(checkpoints).filter(name => !name.endsWith('.tmp')) : []
  for (const name of saved) await readCheckpoint(join(checkpoints, name))
  expect(saved.length).toBeLessThanOrEqual(3) // the two that are kept, and one not yet removed
  if (!existsSync(best)) return
  const files = readdirSync(best).filter(name => !name.endsWith('.tmp'))
  expect(files.sort()).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
  for (const name of files.filter(file => file.endsWith('.json'))) JSON.parse(readFileSync(join(best, name), 'utf8'))
  await readSafetensors(join(best, 'model.safetensors'))
}

/** Without what the clock decides. */
async function result(out: string) {
  const checkpoint = `checkpoints/step-${String(epochs * stepsPerEpoch).padStart(9, '0')}.safetensors`
  const { position, sections } = await readCheckpoint(join(out, checkpoint))
  const log = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
  return {
    position: { ...position, seconds: 0 },
    sections,
    log: log.map(line => ({ ...JSON.parse(line), seconds: 0, imagesPerSecond: 0 })),
    best: readFileSync(join(out, 'best/model.safetensors')).toString('base64'),
  }
}

interface Kills {
  all: number
  /** Kills while a file was written. */
  torn: number
}

/** Runs to the end, killed at each of the moments. */
async function runThroughKills(out: string, kills: Kills, nextMoment: () => Moment | undefined): Promise<void> {
  for (;;) {
    const resume = existsSync(join(out, 'recipe.json')) ? ['--resume'] : []
    const moment = nextMoment()
    if (!moment) {
      await finish(out, ...resume)
      return
    }
    const child = start(out, '--checkpoint-every', 'write' in moment ? '1' : '3', ...resume)
    await kill(child, out, moment)
    if (child.signalCode !== 'SIGKILL') {
      expect({ code: child.exitCode, stderr: await new Response(child.stderr).text() }).toMatchObject({ code: 0 })
      return
    }
    kills.all++
    if (beingWritten(out)) kills.torn++
    await checkWhole(out)
  }
}

describe('SIGKILL', () => {
  test('a run killed at any moment, also while a checkpoint is written, goes on to the same bits', async () => {
    const seed = Number(process.env.KILL_SEED ?? crypto.getRandomValues(new Uint32Array(1))[0])
    const moments: Moment[] = []
    const kills: Kills = { all: 0, torn: 0 }
    const wanted = 16
    const nextMoment = (): Moment | undefined => {
      const chance = randomBits(seed, moments.length) / 2 ** 32
      if (kills.all === wanted) return undefined
      moments.push(
        moments.length % 2 === 0 ? { milliseconds: 300 + 1200 * chance } : { write: 1 + Math.floor(12 * chance) },
      )
      return moments.at(-1)
    }
    const whole = join(folder, 'whole')
    try {
      await finish(whole)
      const straight = await result(whole)
      for (let run = 0; kills.all < wanted; run++) {
        const out = join(folder, `killed-${run}`)
        await runThroughKills(out, kills, nextMoment)
        const resumed = await result(out)
        const steps = resumed.log.flatMap(({ event, step }) => (event === 'step' ? [step] : []))
        expect(steps).toEqual(Array.from({ length: epochs * stepsPerEpoch }, (_, i) => i + 1))
        expect(resumed).toEqual(straight)
        const left = readdirSync(out, { recursive: true }).filter(name => /tmp$|lock-/.test(String(name)))
        expect(left).toEqual([])
      }
    } catch (error) {
      console.log(`KILL_SEED=${seed} had the moments ${JSON.stringify(moments)}.`)
      throw error
    }
    expect(kills.torn).toBeGreaterThanOrEqual(1)
  }, 180_000)
})
