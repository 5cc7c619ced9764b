/** What a lane does in all products: it adds to 8 rows × 4 columns the products of four steps of the inner axis. */

export const eight = [0, 1, 2, 3, 4, 5, 6, 7] as const
export const four = [0, 1, 2, 3] as const

/** One piece of text for each of the eight rows. */
export const forRows = (text: (row: number) => string): string => eight.map(text).join('\n    ')

/** Turns four vectors `<source>0` to `<source>3`, the columns of a matrix, into its rows, `<name>0` to `<name>3`. */
export const transposed = (name: string, source: string, first = 0): string =>
  four
    .map(e => `let ${name}${first + e} = vec4f(${four.map(i => `${source}${first + i}.${'xyzw'[e]}`).join(', ')});`)
    .join('\n    ')

/**
 * What lane number `lane` of eight has of a vector, in all of them. On an adapter that a CPU emulates, a load of one address by
 * all lanes costs as much as one of eight addresses, and a broadcast next to nothing.
 */
export const broadcast = (vector: string, lane: number): string => `subgroupBroadcast(${vector}, ${lane}u)`

/** Adds to a row: `a` has four steps side by side, and `<b>0` to `<b>3` have four columns each. */
export const multiplyRow = (sum: string, a: string, b: string): string =>
  four.map(e => `${sum} += ${a}.${'xyzw'[e]} * ${b}${e};`).join(' ')
