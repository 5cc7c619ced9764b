/** Locks between processes that the kernel lets see each other, and those that it does not. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LockOptions, takeLock, withLock } from './file-lock.ts'
import { lockOwner } from './lock-owner.ts'

/** An owner that lives is told from its changing file, however late; one that is gone, soon. */
const patient: LockOptions = { lease: { seconds: 600, renewSeconds: 0.05 }, onWait: () => {} }
const soon: LockOptions = { lease: { seconds: 0.3, renewSeconds: 0.05 }, onWait: () => {} }

let folder: string
let path: string
const children: Bun.Subprocess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-file-lock-'))
  path = join(folder, 'lock')
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
  rmSync(folder, { recursive: true })
})

const locks = (): string[] => readdirSync(folder).filter(name => name.startsWith('lock-'))

/** Another process that takes the lock and keeps it, in namespaces of its own where `prefix` says so. */
function other(options: LockOptions, prefix: readonly string[] = [], command = [process.execPath, '-e', program()]) {
  const child = Bun.spawn([...prefix, ...command], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  children.push(child)
  const reader = child.stdout.getReader()
  return { child, said: async () => new TextDecoder().decode((await reader.read()).value).trim() }
}

const program = (module = join(import.meta.dirname, 'file-lock.ts')): string => `
  import { takeLock } from ${JSON.stringify(module)}
  await takeLock(${JSON.stringify(path)}, 'it', JSON.parse(process.env.OPTIONS)).then(
    () => console.log('has it'), error => { console.log(error.message); process.exit(1) })
  setInterval(() => {}, 1000)`

const namespaces = ['unshare', '--pid', '--fork', '--kill-child', '--uts']
const elsewhere = [...namespaces, '--mount-proc', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh']
const renamed = ['unshare', '--uts', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh']
const mayUnshare = process.platform === 'linux' && Bun.spawnSync([...elsewhere, 'true']).success
if (!mayUnshare) console.log('Locks between namespaces are not tested: unshare needs Linux and root.')

/** Ends a child and what it runs in a namespace. */
async function kill(child: Bun.Subprocess): Promise<void> {
  child.kill('SIGKILL')
  await child.exited
}

describe.skipIf(!mayUnshare)('a process in another pid namespace, on a host of another name', () => {
  test.each([
    ['with a /proc of its own', elsewhere],
    ['with the /proc of its parent', [...namespaces, 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh']],
  ])(
    'keeps its lock while it lives, %s',
    async (_, prefix) => {
      const { said } = other(patient, prefix)
      expect(await said()).toBe('has it')
      await expect(takeLock(path, 'it', patient)).rejects.toThrow(/^it is in use by process \d+ on elsewhere; wait/)
      const error = other(patient, elsewhere)
      expect(await error.said()).toMatch(/^it is in use by process \d+ on elsewhere; wait/)
      expect(locks()).toHaveLength(1)
    },
    60_000,
  )

  test('loses it after its lease when it was killed, and the wait is told', async () => {
    const { child, said } = other(patient, elsewhere)
    expect(await said()).toBe('has it')
    await kill(child)
    const told: string[] = []
    const lock = await takeLock(path, 'it', { ...soon, onWait: line => told.push(line) })
    expect(told).toEqual([
      expect.stringMatching(
        /^it was in use by process \d+ on elsewhere; looking for up to 0.3 s whether it still runs\.$/,
      ),
    ])
    expect(locks()).toHaveLength(1)
    lock.release()
    expect(locks()).toEqual([])
  }, 60_000)

  test('exactly one of several that come at once has it', async () => {
    const all = [other(patient, elsewhere), other(patient), other(patient, elsewhere), other(patient)]
    const said = await Promise.all(all.map(({ said }) => said()))
    expect(said.filter(line => line === 'has it')).toHaveLength(1)
    expect(said.filter(line => line.startsWith('it is in use by process'))).toHaveLength(3)
  }, 60_000)
})

test.skipIf(!mayUnshare)(
  'a host that got another name sees at once that its process was killed',
  async () => {
    const first = other(patient, renamed)
    expect(await first.said()).toBe('has it')
    await kill(first.child)
    expect(locks()[0]).toStartWith('lock-elsewhere-')
    ;(await takeLock(path, 'it', patient)).release() // after its lease, this would be in ten minutes
    const second = other(patient, renamed)
    expect(await second.said()).toBe('has it')
    await expect(takeLock(path, 'it', patient)).rejects.toThrow('is in use by process')
  },
  60_000,
)

test('a process that is stopped keeps its lock', async () => {
  const { child, said } = other(soon)
  expect(await said()).toBe('has it')
  child.kill('SIGSTOP')
  await Bun.sleep(1000)
  await expect(takeLock(path, 'it', soon)).rejects.toThrow(`it is in use by process ${child.pid} on`)
}, 60_000)

test('a machine that shows no life for a lease loses it, however its name is written', async () => {
  writeFileSync(join(folder, 'lock-far-away-1-12345678.42-77-0a1b2c3d'), 'has                 3\n')
  ;(await takeLock(path, 'it', soon)).release()
  expect(locks()).toEqual([])
})

test('one whose lock was taken over notices', async () => {
  const lock = await takeLock(path, 'it', soon)
  lock.requireHeld()
  rmSync(join(folder, locks()[0] as string))
  expect(() => lock.requireHeld()).toThrow('it was taken over by another process, since this one had shown no life')
  await Bun.sleep(200)
  expect(locks()).toEqual([]) // renewing does not bring it back
  lock.release()
})

test('a busy main thread does not keep the lease from being renewed', async () => {
  const lock = await takeLock(path, 'it', patient)
  const file = join(folder, locks()[0] as string)
  const before = readFileSync(file, 'utf8')
  expect(before).toStartWith('has   ')
  while (readFileSync(file, 'utf8') === before); // no turn of the event loop in between
  lock.release()
}, 60_000)

test('names carry what is needed to judge an owner, and others are passed over', () => {
  expect(lockOwner('lock-a-b-c-7-boot.1-99-0a1b2c3d', 'lock')).toEqual({
    ...{ name: 'lock-a-b-c-7-boot.1-99-0a1b2c3d', host: 'a-b-c', pid: 7, space: 'boot.1', began: '99' },
  })
  for (const name of ['lock', 'lock-file', 'other-a-7-boot.1-99-0a1b2c3d', 'lock-a-7-boot.1-99-0a1b2c3d.tmp'])
    expect(lockOwner(name, 'lock')).toBeUndefined()
})

describe('withLock', () => {
  test('lets one work at a time, and leaves nothing', async () => {
    let [inside, most] = [0, 0]
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside)
      await Bun.sleep(20)
      inside--
    }
    await Promise.all([1, 2, 3].map(() => withLock(path, patient, work)))
    expect([most, readdirSync(folder)]).toEqual([1, []])
  }, 60_000)

  test('lets one process at a time in, of several that find the lock of one that was killed', async () => {
    const { child, said } = other(patient)
    expect(await said()).toBe('has it')
    await kill(child)
    const log = join(folder, 'log')
    const text = `
      import { appendFileSync } from 'node:fs'
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'file-lock.ts'))}
      await withLock(${JSON.stringify(path)}, {}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in\\n')
        await Bun.sleep(30)
        appendFileSync(${JSON.stringify(log)}, 'out\\n')
      })`
    const all = Array.from({ length: 6 }, () => Bun.spawn([process.execPath, '-e', text], { stderr: 'inherit' }))
    children.push(...all)
    expect(await Promise.all(all.map(({ exited }) => exited))).toEqual(Array(6).fill(0))
    expect(readFileSync(log, 'utf8')).toBe('in\nout\n'.repeat(6))
    expect(locks()).toEqual([])
  }, 60_000)

  test('waiting ends by its signal, and leaves nothing but the owner', async () => {
    const lock = await takeLock(path, 'it', patient)
    const waiting = withLock(path, { ...patient, signal: AbortSignal.timeout(100) }, async () => 'done')
    await expect(waiting).rejects.toThrow(/abort|time/i)
    expect(locks()).toHaveLength(1)
    lock.release()
  })
})

const isRoot = process.getuid?.() === 0
const asNobody = isRoot ? ['setpriv', '--reuid=65534', '--clear-groups'] : []
const mayDrop = process.platform !== 'win32' && Bun.spawnSync([...asNobody, process.execPath, '--version']).success
if (!mayDrop) console.log('A lock in a folder that became read-only is not tested: root may write everywhere.')

test.skipIf(!mayDrop)(
  'a lock that cannot be removed is one line, not a stack trace',
  async () => {
    chmodSync(folder, 0o777)
    const module = join(import.meta.dirname, 'file-lock.ts')
    const text = `
    import { takeLock } from ${JSON.stringify(module)}
    await takeLock(${JSON.stringify(path)}, 'it')
    console.log('has it')
    process.stdin.once('data', () => process.exit(3))`
    const child = Bun.spawn([...asNobody, process.execPath, '-e', text], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    children.push(child)
    await child.stdout.getReader().read()
    chmodSync(folder, 0o555)
    child.stdin.write('end\n')
    child.stdin.flush()
    const errors = await new Response(child.stderr).text()
    expect(await child.exited).toBe(3)
    expect(errors).toMatch(/^EACCES: permission denied[^\n]+Others will see that its process has ended\.\n$/)
    chmodSync(folder, 0o777)
    ;(await takeLock(path, 'it', patient)).release() // at once
  },
  60_000,
)

describe('in plain Node', () => {
  const node = Bun.which('node')
  if (!node) console.log('Locks in plain Node are not tested: there is no node in the PATH.')
  let bundle: string
  beforeAll(async () => {
    bundle = mkdtempSync(join(tmpdir(), 'vitral-lock-bundle-'))
    await Bun.build({
      ...{ entrypoints: [join(import.meta.dirname, 'file-lock.ts')], target: 'node' },
      ...{ outdir: bundle, naming: 'lock.mjs' },
    })
  })

  test.skipIf(!node)(
    'a program in one file takes a lock, renews it, and is seen to be gone',
    async () => {
      const command = [node as string, '--input-type=module', '-e', program(join(bundle, 'lock.mjs'))]
      const { child, said } = other(patient, mayUnshare ? elsewhere : [], command)
      expect(await said()).toBe('has it')
      await expect(takeLock(path, 'it', patient)).rejects.toThrow('it is in use by process')
      await kill(child)
      ;(await takeLock(path, 'it', soon)).release()
      expect(existsSync(bundle)).toBe(true)
      rmSync(bundle, { recursive: true })
    },
    60_000,
  )
})
