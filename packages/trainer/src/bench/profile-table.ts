/** Kernel calls, added up by kernel: what each takes, and how near it is to what the machine can do. */
import { percent } from '@vitral/core/text'
import { columnWidths } from '../format.ts'
import type { KernelCall } from './kernel-profile.ts'
import { costOf } from './op-costs.ts'

/** One kernel, per round. */
export interface ProfileRow {
  kernel: string
  calls: number
  milliseconds: number
  /** Share of the whole time, from 0 to 1. */
  share: number
  /** GFLOP/s of its matrix products; 0 for a kernel without. */
  gflops: number
  /** Gigabytes a second, every operand read and every result written once. */
  gbytes: number
}

/** What is not in a kernel: JavaScript, the engine, the garbage collector. */
export const BETWEEN = 'between kernels'

/**
 * @param milliseconds of all rounds
 * @returns rows by time, largest first, and last what is between kernels
 */
export function profileRows(calls: readonly KernelCall[], milliseconds: number, rounds: number): ProfileRow[] {
  const sums = new Map<string, { calls: number; milliseconds: number; flops: number; bytes: number }>()
  for (const call of calls) {
    const { flops, bytes } = costOf(call)
    const sum = sums.get(call.kernel) ?? { calls: 0, milliseconds: 0, flops: 0, bytes: 0 }
    sum.calls++
    sum.milliseconds += call.milliseconds
    sum.flops += flops
    sum.bytes += bytes
    sums.set(call.kernel, sum)
  }
  const rows = [...sums].map(([kernel, sum]) => ({
    kernel,
    calls: sum.calls / rounds,
    milliseconds: sum.milliseconds / rounds,
    share: sum.milliseconds / milliseconds,
    gflops: sum.flops / sum.milliseconds / 1e6,
    gbytes: sum.bytes / sum.milliseconds / 1e6,
  }))
  const inside = rows.reduce((sum, row) => sum + row.milliseconds, 0)
  const between = Math.max(0, milliseconds / rounds - inside)
  return [
    ...rows.sort((a, b) => b.milliseconds - a.milliseconds),
    {
      kernel: BETWEEN,
      calls: 0,
      milliseconds: between,
      share: (between * rounds) / milliseconds,
      gflops: 0,
      gbytes: 0,
    },
  ]
}

/** The profile as a table of text. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.milliseconds, 0)
  const cells = [
    ['kernel', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'],
    ...rows.map(({ kernel, calls, milliseconds, share, gflops, gbytes }) => [
      kernel.replace(/^Vitral/, ''),
      calls ? String(Math.round(calls)) : '',
      milliseconds.toFixed(2),
      percent(share, 1),
      gflops ? gflops.toFixed(0) : '',
      gbytes ? gbytes.toFixed(1) : '',
    ]),
    ['all', '', total.toFixed(2), '', '', ''],
  ]
  const widths = columnWidths(cells)
  return cells
    .map(row =>
      row
        .map((cell, i) => (i ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
