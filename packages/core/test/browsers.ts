/** The browsers that a page is tried in, each started without a window and with a profile of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestBrowser {
  name: 'Chromium' | 'Firefox'
  /** Undefined where it is not installed. */
  program: string | undefined
  args(profile: string): string[]
}

const found = (...paths: string[]): string | undefined => paths.find(existsSync)

export const chromium: TestBrowser = {
  name: 'Chromium',
  program: found('/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'),
  args: profile => [
    '--headless',
    '--no-sandbox',
    '--no-first-run',
    '--disable-background-networking',
    '--enable-unsafe-webgpu',
    `--user-data-dir=${profile}`,
  ],
}

export const firefox: TestBrowser = {
  name: 'Firefox',
  program: found('/usr/bin/firefox-esr', '/usr/bin/firefox'),
  args(profile) {
    writeFileSync(join(profile, 'user.js'), quiet)
    return ['--headless', '--no-remote', '--profile', profile]
  },
}

/** Settings by which a new profile opens the page that it is given and nothing else. */
const quiet = Object.entries({
  'app.normandy.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
})
  .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${value});\n`)
  .join('')

/** Where a browser is installed; where it is not, says that its tests are skipped. */
export function installed({ name, program }: TestBrowser): string | undefined {
  if (!program)
    console.log(`skipped the tests in ${name}: it is not in /usr/bin (scripts/install-test-tools.sh installs it)`)
  return program
}

/**
 * Starts a browser at a page.
 *
 * @returns what ends it
 */
export function launch({ program, args }: TestBrowser, url: string): () => Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'vitral-browser-'))
  // A process group of its own: both browsers start many processes, and all of them are to end.
  const browser = spawn(program as string, [...args(profile), url], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, HOME: profile },
  })
  return async () => {
    await end(browser)
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function end(browser: ChildProcess): Promise<void> {
  const ended = browser.exitCode === null ? once(browser, 'exit') : undefined
  try {
    process.kill(-(browser.pid as number), 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
  await ended
}
