/** A stand-in for the Hugging Face hub: one model under any name. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const commit = '0123456789abcdef0123456789abcdef01234567'

/** @returns what answers requests for `…/OWNER/NAME/resolve/REVISION/FILE` */
export function hubOf(folder: string): (request: Request) => Response {
  return ({ url }) => {
    const [, name = ''] = /\/resolve\/[^/]+\/(.+)$/.exec(new URL(url).pathname) ?? []
    const path = join(folder, name)
    if (!name || !existsSync(path))
      return new Response('', { status: 404, headers: { 'x-error-code': 'EntryNotFound' } })
    const bytes = readFileSync(path)
    const checksum = createHash('sha256').update(bytes).digest('hex')
    const headers = { etag: `"${checksum}"`, 'x-repo-commit': commit, 'x-linked-size': String(bytes.length) }
    return new Response(bytes, { headers })
  }
}
