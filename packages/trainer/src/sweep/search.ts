/** Which settings of a recipe a sweep tries: all of a grid, or some drawn by chance. */
import { isInteger } from '@vitral/core/check'
import { deriveSeed } from '@vitral/core/tape'

/** Settings of one trial, such as `optimizer.lr=0.001`: what `overrideRecipe` takes. */
export type Settings = readonly string[]

/**
 * Every combination of the values, the last field's changing first.
 *
 * @param fields such as 'optimizer.lr=1e-3,3e-4'; a value with a comma of its own is JSON: 'optimizer.betas=[0.9,0.95]'
 * @throws naming the field that has no values.
 * @example
 * gridSearch(['optimizer.lr=1e-3,3e-4', 'batchSize=32,64'])
 * // [['optimizer.lr=0.001', 'batchSize=32'], ['optimizer.lr=0.001', 'batchSize=64'], …]
 */
export function gridSearch(fields: readonly string[]): Settings[] {
  return fields.reduce<Settings[]>(
    (combinations, field) => {
      const { key, text } = splitField(field)
      const values = listOf(text)
      if (values.length === 0) throw new Error(`${field}: expected values, such as ${key}=1,2,3.`)
      return combinations.flatMap(before => values.map(value => [...before, `${key}=${value}`]))
    },
    [[]],
  )
}

/** Options of randomSearch. */
export interface RandomSearchOptions {
  /** How many trials. */
  count: number
  /** Seed for the draws; the first trials are the same whatever the count. */
  seed: number
}

/**
 * Draws a value of each range for each trial.
 *
 * @param ranges 'optimizer.lr=log:1e-4..1e-2' (even in its logarithm), 'labelSmoothing=0..0.2' (even),
 *   'model.config.numHiddenLayers=int:2..6' (whole numbers, both ends included), or 'batchSize=32,64' (one of these)
 * @throws naming the range that cannot be read.
 * @example
 * randomSearch(['optimizer.lr=log:1e-4..1e-2'], { count: 2, seed: 1 }) // [['optimizer.lr=0.003514'], …]
 */
export function randomSearch(ranges: readonly string[], { count, seed }: RandomSearchOptions): Settings[] {
  const draws = ranges.map(range => {
    const { key, text } = splitField(range)
    return { key, draw: drawOf(text, range) }
  })
  return Array.from({ length: count }, (_, trial) =>
    draws.map(({ key, draw }, i) => `${key}=${draw((deriveSeed(seed, trial, i) + 0.5) / 2 ** 32)}`),
  )
}

/** From a number between 0 and 1 to a value. */
type Draw = (chance: number) => string

function drawOf(text: string, range: string): Draw {
  const [, kind = '', first, last] = text.match(/^(?:(log|int):)?([^.,[][^,[]*?)\.\.([^,]+)$/) ?? []
  if (first === undefined) {
    const values = listOf(text)
    if (values.length === 0 || text.startsWith('log:') || text.startsWith('int:')) throw new Error(unreadable(range))
    return chance => values[Math.floor(chance * values.length)] as string
  }
  const [from, to] = [Number(first), Number(last)]
  const accepted =
    from < to && (kind !== 'log' || from > 0) && (kind !== 'int' || [from, to].every(bound => isInteger(bound)))
  if (!accepted) throw new Error(unreadable(range))
  const kinds: Record<string, Draw> = {
    '': chance => fewDigits(from + chance * (to - from)),
    log: chance => fewDigits(from * (to / from) ** chance),
    int: chance => String(from + Math.floor(chance * (to - from + 1))),
  }
  return kinds[kind] as Draw
}

const unreadable = (range: string): string =>
  `${range}: expected a range such as log:1e-4..1e-2 (from above 0), 0..0.2, int:2..6, or values such as 32,64.`

/** What a person can type again. */
const fewDigits = (value: number): string => String(Number(value.toPrecision(4)))

function splitField(field: string): { key: string; text: string } {
  const equals = field.indexOf('=')
  if (equals < 1) throw new Error(`${field}: expected KEY=VALUES, such as optimizer.lr=1e-3,3e-4.`)
  return { key: field.slice(0, equals), text: field.slice(equals + 1).trim() }
}

/** Values as they are written: parted at commas, but for those inside of JSON. */
function listOf(text: string): string[] {
  try {
    return (JSON.parse(`[${text}]`) as unknown[]).map(value => JSON.stringify(value))
  } catch {
    return text.split(',').flatMap(value => value.trim() || [])
  }
}
