/** What the operating system knows: the machine, who uses its processors, how much memory a process needs. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** One line for the results. */
export function describeMachine(instructionSet: string): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU'
  return `${model}, ${availableParallelism()} cores, ${instructionSet}, ${memory}, ${type()} ${release()}`
}

/** Linux counts in hundredths of a second, whatever its own clock. */
const ticksPerSecond = 100

/** CPU seconds that all processes used since the start, those a hypervisor took away included. Linux only. */
export function busySeconds(): number | undefined {
  const counts = read('/proc/stat')?.split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number)
  if (!counts) return undefined
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = counts
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

/** Waits, but not for ever, until no more than so many cores are busy; not at all where the system does not tell. */
export async function quietMoment({ cores, longestWait }: { cores: number; longestWait: number }): Promise<void> {
  const sample = 250
  for (const end = performance.now() + longestWait; performance.now() < end; ) {
    const before = busySeconds()
    if (before === undefined) return
    await sleep(sample)
    if (((busySeconds() ?? before) - before) * 1000 <= cores * sample) return
  }
}

/** CPU seconds that a process and those it started used, all their threads together. Linux only. */
export function processSeconds(pid: number): number | undefined {
  const own = ownSeconds(pid)
  return own === undefined ? undefined : children(pid).reduce((sum, child) => sum + (processSeconds(child) ?? 0), own)
}

function children(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`)
    return tasks.flatMap(task => read(`/proc/${pid}/task/${task}/children`)?.match(/\d+/g)?.map(Number) ?? [])
  } catch {
    return [] // it has ended
  }
}

function ownSeconds(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (!stat) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** What a process and those it started have resident, in MiB; 0 where the system does not tell. */
export function residentMiB(pid: number): number {
  const kibibytes = read(`/proc/${pid}/status`)?.match(/^VmRSS:\s+(\d+)/m)?.[1] ?? 0
  return children(pid).reduce((sum, child) => sum + residentMiB(child), Number(kibibytes) / 1024)
}

/** The most resident memory since the start or `forgetPeakMemory`, in MiB. Linux only. */
export function peakMemory(pid: number): number | undefined {
  const kibibytes = read(`/proc/${pid}/status`)?.match(/^VmHWM:\s+(\d+)/m)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024
}

/** So that loading, which is not measured, does not count. */
export function forgetPeakMemory(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // Not Linux, or not permitted: the peak then includes loading.
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
