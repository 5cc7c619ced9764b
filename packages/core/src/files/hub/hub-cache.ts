/**
 * Hugging Face's cache folder and environment, shared with Python: models--owner--name/{blobs,refs,snapshots}, where a
 * snapshot's files are links to blobs named by their checksum.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, readlink, rename, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { writeFileAtomic } from '../atomic-write.ts'
import { trimToken } from './hub-token.ts'

export interface HubEnvironment {
  /** HF_ENDPOINT. @default https://huggingface.co */
  endpoint: string
  /** HF_TOKEN, or the token that `hf auth login` stored, without white space around it. */
  token?: string
  /** HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. */
  cacheFolder: string
  /** HF_HUB_OFFLINE: nothing is asked of the network. */
  offline: boolean
  /** VITRAL_HUB_MAX_BYTES: the most that the files of a model may have together. @default 64 GiB */
  maxBytes: number
  /** HF_HUB_DOWNLOAD_TIMEOUT: how long the hub may be silent. @default 30 */
  timeoutSeconds: number
}

/** An empty variable is an unset one. */
export function hubEnvironment(env: Record<string, string | undefined> = process.env): HubEnvironment {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
  const tokenFile = env.HF_TOKEN_PATH || join(home, 'token')
  const token =
    trimToken(env.HF_TOKEN) ?? (existsSync(tokenFile) ? trimToken(readFileSync(tokenFile, 'utf8')) : undefined)
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    ...(token && { token }),
    cacheFolder: env.HF_HUB_CACHE || join(home, 'hub'),
    offline: /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    maxBytes: Number(env.VITRAL_HUB_MAX_BYTES) || 64 * 2 ** 30,
    timeoutSeconds: Number(env.HF_HUB_DOWNLOAD_TIMEOUT) || 30,
  }
}

/** Where one repository's files are in the cache. */
export class RepositoryCache {
  readonly folder: string

  constructor(cacheFolder: string, id: string) {
    this.folder = join(cacheFolder, `models--${id.replace('/', '--')}`)
  }

  blob(checksum: string): string {
    return join(this.folder, 'blobs', checksum)
  }

  /** Beside Python's locks, which are of another kind. */
  lock(checksum: string): string {
    return join(dirname(this.folder), '.locks', basename(this.folder), `${checksum}.lock`)
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit)
  }

  /** The commit a revision pointed to when it was last asked for. */
  async knownCommit(revision: string): Promise<string | undefined> {
    if (existsSync(this.snapshot(revision))) return revision
    const ref = join(this.folder, 'refs', revision)
    return existsSync(ref) ? (await readFile(ref, 'utf8')).trim() : undefined
  }

  async setCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.knownCommit(revision)) === commit) return
    const ref = join(this.folder, 'refs', revision)
    await mkdir(dirname(ref), { recursive: true })
    await writeFileAtomic(ref, commit)
  }

  /** Makes a blob appear under its name in a snapshot; one that another process reads is never gone in between. */
  async link(commit: string, file: string, checksum: string): Promise<void> {
    const path = join(this.snapshot(commit), file)
    const target = relative(dirname(path), this.blob(checksum))
    if ((await readlink(path).catch(() => undefined)) === target) return
    await mkdir(dirname(path), { recursive: true })
    const aside = `${path}.${randomUUID()}.tmp`
    await symlink(target, aside)
    await rename(aside, path)
  }
}
