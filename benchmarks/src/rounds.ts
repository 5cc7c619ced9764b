/** Interleaved measurement: in each round every contestant has one turn, so that what changes over time changes for all. */

import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '@vitral/core/statistics'
import { busySeconds } from './machine.ts'
import type { Ran } from './protocol.ts'

/** A contestant that can have a turn. */
export interface Runner {
  readonly name: string
  run(): Promise<Ran>
  cpuSeconds(): number | undefined
}

/** A few runs in a row. */
export interface Turn {
  /** The median of the runs. */
  milliseconds: number
  /** CPU time that a run takes on average, user and system: an emulated GPU's work is in it. */
  cpuMilliseconds?: number
  /** Loss of each run, when it is a training step. */
  losses: number[]
  /** Milliseconds that each run waited: for its batch when it loads one, or for the sums of other processes. */
  waiting: number[]
  /** Cores that anything but the contestant kept busy meanwhile; undefined where the system does not tell. */
  otherCores?: number
}

/** Turns by the contestant's name. */
export type Round = ReadonlyMap<string, Turn>

export interface RoundsOptions {
  /** How many are wanted. */
  rounds: number
  /** Waited for before each round. */
  beforeRound?: () => Promise<void>
  /** Called with each round, the first too. */
  onRound?: (round: Round) => void
}

/** The machine is quiet while others keep at most this much of it busy; other rounds are measured again. */
export const quietCores = 0.1

/** How many times as many rounds as wanted are measured at most, for want of quiet ones. */
const patience = 4

/** Milliseconds that a turn takes at least: the system counts CPU time in steps of ten. */
const shortestTurn = 500

/** Milliseconds between two turns, for threads of the last one that still look for work. */
const pause = 20

/**
 * Measures rounds until there are enough quiet ones. The first is thrown away: it pays for caches and allocations.
 *
 * @returns the `rounds` quietest, in the order of time, and all rounds that were run
 */
export async function measureRounds(
  runners: readonly Runner[],
  { rounds, beforeRound = async () => {}, onRound = () => {} }: RoundsOptions,
): Promise<{ quietest: Round[]; all: Round[] }> {
  const all: Round[] = []
  const quiet = () => all.slice(1).filter(round => disturbance(round) <= quietCores).length
  while (quiet() < rounds && all.length < 1 + patience * rounds) {
    await beforeRound()
    const round = await measureRound(rotate(runners, all.length), runsPerTurn(all[0]))
    all.push(round)
    onRound(round)
  }
  const byDisturbance = all.slice(1).sort((a, b) => disturbance(a) - disturbance(b))
  const taken = new Set(byDisturbance.slice(0, rounds))
  return { quietest: all.filter(round => taken.has(round)), all }
}

/** Runs for so long, at least once: a runtime compiles anew what is called often, and that takes a few hundred calls. */
export async function warmUp(runner: Runner, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds
  do await runner.run()
  while (performance.now() < end)
}

/** The cores others kept busy during the most disturbed turn of a round; 0 where the system does not tell. */
export function disturbance(round: Round): number {
  return Math.max(0, ...[...round.values()].map(turn => turn.otherCores ?? 0))
}

/** How many times as fast as `other` the contestant `name` is: the median over rounds, each a pair of neighbours in time. */
export function speedRatio(rounds: readonly Round[], name: string, other: string): number {
  return median(rounds.map(round => millisecondsOf(round, other) / millisecondsOf(round, name)))
}

export const millisecondsOf = (round: Round, name: string): number => round.get(name)?.milliseconds ?? Number.NaN

/** CPU time of a contestant's runs, the median over rounds; undefined where the system does not tell. */
export function cpuMillisecondsOf(rounds: readonly Round[], name: string): number | undefined {
  const known = rounds.flatMap(round => round.get(name)?.cpuMilliseconds ?? [])
  return known.length > 0 ? median(known) : undefined
}

/** The same for every contestant, so that all take the same training steps; one in the first round. */
function runsPerTurn(first: Round | undefined): number {
  if (!first) return 1
  const fastest = Math.min(...[...first.values()].map(turn => turn.milliseconds))
  return Math.ceil(shortestTurn / fastest)
}

async function measureRound(runners: readonly Runner[], runs: number): Promise<Round> {
  const turns = new Map<string, Turn>()
  for (const runner of runners) {
    await sleep(pause)
    turns.set(runner.name, await measureTurn(runner, runs))
  }
  return turns
}

async function measureTurn(runner: Runner, runs: number): Promise<Turn> {
  const others = () => {
    const busy = busySeconds()
    const own = runner.cpuSeconds()
    return busy === undefined || own === undefined ? undefined : busy - own
  }
  const start = performance.now()
  const before = others()
  const cpuBefore = runner.cpuSeconds()
  const ran: Ran[] = []
  while (ran.length < runs) ran.push(await runner.run())
  const cpuAfter = runner.cpuSeconds()
  const after = others()
  const seconds = (performance.now() - start) / 1000
  return {
    milliseconds: median(ran.map(({ milliseconds }) => milliseconds)),
    losses: ran.flatMap(({ loss }) => loss ?? []),
    waiting: ran.flatMap(({ waiting }) => waiting ?? []),
    ...(cpuBefore !== undefined &&
      cpuAfter !== undefined && { cpuMilliseconds: ((cpuAfter - cpuBefore) * 1000) / ran.length }),
    ...(before !== undefined && after !== undefined && { otherCores: Math.max(0, (after - before) / seconds) }),
  }
}

/** Each round begins with another contestant, so that none always follows the same one. */
function rotate<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
