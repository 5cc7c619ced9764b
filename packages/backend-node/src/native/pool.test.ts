/** The thread pool and the count of CPUs, in a C++ program of their own: native/test/pool.cpp. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileProgram, compiler, type NativeProgram } from '../../test/native-program.ts'

if (!compiler) console.log('skipped the thread pool: there is no C++ compiler')

describe.skipIf(!compiler)('the thread pool', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'vitral-pool-'))
  let program: NativeProgram
  beforeAll(() => {
    program = compileProgram('runtime/cpus', 'runtime/memory', 'runtime/scratch', 'runtime/threads', 'test/pool')
  })
  afterAll(() => {
    program.remove()
    rmSync(scratch, { recursive: true })
  })

  for (const [check, what] of Object.entries({
    covers: 'carries out each task once, nested ones too',
    exceptions: 'hands an exception of a task to the caller',
    callers: 'serves more callers than it has places for, and threads that end while others compute',
    share: 'gives one caller a helper while the job of another holds its own',
    progress: 'lets a caller through while the job of another holds every thread',
    forks: 'computes in the child of a fork, whatever the parent was at',
    idle: 'uses no CPU time when there is nothing to do',
    affinity: 'has as many threads as the affinity mask has CPUs',
  }))
    test(what, () => expect(program.run(check)).toEqual({ status: 0, output: '' }))

  for (const [what, files, cpus] of [
    ['nothing limits', {}, 0],
    ['version 2, in a container', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '250000 100000\n' }, 3],
    ['version 2, no limit', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' }, 0],
    [
      'version 2, the least of a group and those above it',
      {
        'proc/self/cgroup': '0::/user.slice/app.service\n',
        'sys/fs/cgroup/user.slice/cpu.max': '200000 100000\n',
        'sys/fs/cgroup/user.slice/app.service/cpu.max': '400000 100000\n',
      },
      2,
    ],
    [
      'version 1, less than a CPU',
      {
        'proc/self/cgroup': '4:cpu,cpuacct:/jobs/one\n3:cpuset:/\n',
        'sys/fs/cgroup/cpu/jobs/one/cpu.cfs_quota_us': '50000\n',
        'sys/fs/cgroup/cpu/jobs/one/cpu.cfs_period_us': '100000\n',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      1,
    ],
    [
      'version 1, in a container that is told a path of the host',
      {
        'proc/self/cgroup': '4:cpuacct,cpu:/docker/0123\n',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n',
      },
      3,
    ],
  ] as const)
    test(`quota of control groups: ${what}`, () => {
      const root = mkdtempSync(join(scratch, 'root-'))
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), text)
      }
      expect(program.run('quota', root)).toEqual({ status: 0, output: `${cpus}\n` })
    })
})
