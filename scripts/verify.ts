/**
 * `npx -y bun@1.4.5 run verify`: installs, builds, typechecks, lints and runs every test; its last line counts them.
 * The counts come from the runner's own reports, one JUnit file a package.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { Glob } from 'bun'
import { run, setUp } from './steps.ts'

const packages = [
  ...new Glob('{packages,apps}/*/package.json').scanSync('.'),
  'benchmarks/package.json',
  'examples/package.json',
  'scripts/package.json',
]
  .filter(path => existsSync(path))
  .map(path => path.slice(0, -'/package.json'.length))
  .sort()

await setUp()
await run('Typecheck', [process.execPath, 'run', 'typecheck'])
await run('Lint', [process.execPath, 'run', 'lint'])

for (const folder of packages) rmSync(`${folder}/test-report.xml`, { force: true })
// One package at a time: some tests start servers, workers and browsers, and two cores are soon busy.
const tests = spawnSync(process.execPath, ['run', 'test', '--continue', '--concurrency=1'], {
  stdio: 'inherit',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
})

const total = { passed: 0, failed: 0, skipped: 0 }
for (const folder of packages) {
  const report = `${folder}/test-report.xml`
  if (!existsSync(report)) continue
  const suites = /<testsuites [^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] ?? ''
  const count = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(suites)?.[1] ?? 0)
  total.failed += count('failures')
  total.skipped += count('skipped')
  total.passed += count('tests') - count('failures') - count('skipped')
}
if (tests.status !== 0 && total.failed === 0) {
  console.error(`\nThe test command failed with exit code ${tests.status}, though no test did: see above.`)
  total.failed = 1
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0)
