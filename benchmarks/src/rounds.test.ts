import { expect, test } from 'bun:test'
import { cpuMillisecondsOf, disturbance, measureRounds, type Round, type Runner, speedRatio, warmUp } from './rounds.ts'

/** A contestant whose runs say they took `milliseconds`, and which writes its name down at each. */
const runner = (
  name: string,
  milliseconds: number,
  log: string[],
  cpuSeconds = () => undefined as number | undefined,
): Runner => ({
  name,
  cpuSeconds,
  run: async () => {
    log.push(name)
    return { milliseconds }
  },
})

const round = (turns: Record<string, { milliseconds: number; otherCores?: number }>): Round =>
  new Map(Object.entries(turns).map(([name, turn]) => [name, { losses: [], waiting: [], ...turn }]))

test('contestants take turns, another one first in each round, and the first round does not count', async () => {
  const log: string[] = []
  const { quietest, all } = await measureRounds([runner('a', 600, log), runner('b', 900, log)], { rounds: 2 })
  expect(log.join('')).toBe('abbaab')
  expect(all).toHaveLength(3)
  expect(quietest).toEqual(all.slice(1))
})

test('fast runs are repeated within a turn, as often for each contestant', async () => {
  const log: string[] = []
  await measureRounds([runner('fast', 200, log), runner('slow', 700, log)], { rounds: 1 })
  expect(log).toEqual(['fast', 'slow', 'slow', 'slow', 'slow', 'fast', 'fast', 'fast'])
})

test.skipIf(process.platform !== 'linux')(
  'rounds in which others were busy are measured again, up to a limit (other systems than Linux do not tell)',
  async () => {
    const busy: Runner = {
      name: 'busy',
      cpuSeconds: () => 0, // what this test burns counts as the others'
      run: async () => {
        const end = performance.now() + 60
        while (performance.now() < end);
        return { milliseconds: 1000 }
      },
    }
    const { quietest, all } = await measureRounds([busy], { rounds: 1 })
    expect(all).toHaveLength(5)
    expect(quietest).toHaveLength(1)
    const least = Math.min(...all.slice(1).map(disturbance))
    expect(disturbance(quietest[0] as Round)).toBe(least)
    expect(least).toBeGreaterThan(0.1)
  },
)

test('warming up runs once at least, and for as long as it says', async () => {
  const log: string[] = []
  await warmUp(runner('a', 1, log), 0)
  expect(log).toEqual(['a'])
  const slow: Runner = {
    ...runner('b', 1, log),
    run: async () => {
      await Bun.sleep(10)
      log.push('b')
      return { milliseconds: 10 }
    },
  }
  await warmUp(slow, 25)
  expect(log.filter(name => name === 'b').length).toBeGreaterThanOrEqual(2)
})

test('a round is as disturbed as its worst turn', () => {
  expect(disturbance(round({ a: { milliseconds: 1, otherCores: 0.2 }, b: { milliseconds: 1 } }))).toBe(0.2)
})

test('the speed ratio is the median of the ratios within the rounds', () => {
  const rounds = [
    round({ ours: { milliseconds: 1 }, theirs: { milliseconds: 2 } }),
    round({ ours: { milliseconds: 10 }, theirs: { milliseconds: 15 } }), // the machine was slow for both
    round({ ours: { milliseconds: 1 }, theirs: { milliseconds: 3 } }),
  ]
  expect(speedRatio(rounds, 'ours', 'theirs')).toBe(2)
})

test('CPU time is that of a run, whatever the system tells', async () => {
  let seconds = 0
  const told = { ...runner('told', 100, []), cpuSeconds: () => seconds }
  const { quietest } = await measureRounds(
    [
      {
        ...told,
        run: () => {
          seconds += 0.25
          return told.run()
        },
      },
      runner('untold', 100, []),
    ],
    { rounds: 1 },
  )
  expect([cpuMillisecondsOf(quietest, 'told'), cpuMillisecondsOf(quietest, 'untold')]).toEqual([250, undefined])
})
