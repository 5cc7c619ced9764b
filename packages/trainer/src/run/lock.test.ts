import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockRun } from './lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitral-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const locks = () => readdirSync(folder)

/** Another process that wants the folder, and keeps it until it is killed. */
function other() {
  const program = `
    import { lockRun } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
    await lockRun(${JSON.stringify(folder)}).then(() => console.log('has it'), error => { console.log(error.message); process.exit(1) })
    setInterval(() => {}, 1000)
  `
  const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' })
  const output = child.stdout.getReader()
  return { child, said: async () => new TextDecoder().decode((await output.read()).value).trim() }
}

test('one process has the folder; another is refused in one line that names it', async () => {
  const { child, said } = other()
  expect(await said()).toBe('has it')
  const [name] = locks()
  const error = await lockRun(folder).catch(error => error)
  expect(error.message).toMatch(/^[^\n]+$/)
  expect(error.message).toStartWith(`${folder} is in use by process ${child.pid} on `)
  expect(error.message).toEndWith(`If it is gone, remove ${join(folder, name as string)}.`)
  expect(locks()).toEqual([name as string])
  child.kill('SIGKILL')
  await child.exited
})

test('the lock of a killed process is recognised', async () => {
  const { child, said } = other()
  expect(await said()).toBe('has it')
  child.kill('SIGKILL')
  await child.exited
  expect(locks()).toHaveLength(1)
  const lock = await lockRun(folder)
  expect(locks()).toHaveLength(1)
  lock.release()
  expect(locks()).toEqual([])
})

test('a process with the pid of one before it is not taken for that one', async () => {
  if (process.platform !== 'linux') return console.log('Not tested: only Linux tells when a process began.')
  const { child, said } = other()
  expect(await said()).toBe('has it')
  const [name] = locks() as [string]
  child.kill('SIGKILL')
  await child.exited
  // as if its pid were now this living process's
  writeFileSync(join(folder, name.replace(`-${child.pid}-`, `-${process.pid}-`)), '')
  ;(await lockRun(folder)).release()
  expect(locks()).toEqual([])
})

test('a process on another machine counts as alive while its lock file changes, and as gone after a lease', async () => {
  const name = 'lock-elsewhere-1-unknown-0-0a1b2c3d'
  let beat = 0
  const renew = (): void => writeFileSync(join(folder, name), `has ${beat++}`)
  renew()
  const renewal = setInterval(renew, 20)
  const patient = { seconds: 600, renewSeconds: 1 }
  await expect(lockRun(folder, { lease: patient, onWait: () => {} })).rejects.toThrow(
    'is in use by process 1 on elsewhere',
  )
  clearInterval(renewal)
  expect(locks()).toEqual([name])
  const lock = await lockRun(folder, { lease: { seconds: 0.2, renewSeconds: 0.05 }, onWait: () => {} })
  expect(locks()).toHaveLength(1)
  expect(locks()).not.toEqual([name])
  lock.release()
})

test('exactly one of many processes that come at once has the lock', async () => {
  const others = Array.from({ length: 6 }, other)
  const said = await Promise.all(others.map(({ said }) => said()))
  expect(said.filter(line => line === 'has it')).toHaveLength(1)
  expect(said.filter(line => line.includes('is in use by process'))).toHaveLength(5)
  for (const { child } of others) child.kill('SIGKILL')
  await Promise.all(others.map(({ child }) => child.exited))
}, 20_000)

test('a process that ends releases it, and a folder made for it goes when nothing else came', async () => {
  const made = join(folder, 'run')
  const lock = await lockRun(made)
  expect(existsSync(made)).toBe(true)
  await expect(lockRun(made)).rejects.toThrow(`${made} is in use by process ${process.pid}`)
  lock.release()
  expect(existsSync(made)).toBe(false)
  const program = `import { lockRun } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}; await lockRun(${JSON.stringify(folder)}); process.exit(3)`
  expect(await Bun.spawn([process.execPath, '-e', program]).exited).toBe(3)
  expect(locks()).toEqual([])
})
