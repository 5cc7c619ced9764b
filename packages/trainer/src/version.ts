/** The version of this package, which the command prints and a run records. */
import { readFileSync } from 'node:fs'

export function vitralVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
