/** Files of a repository on a Hugging Face hub: asked for by revision, then all of one commit. */
import { network } from '#network'
import { createSha256 } from '#platform'
import { askWhatIs, isWebPage } from './describe-request.ts'
import type { HubEnvironment } from './hub-environment.ts'
import { announcedSize, ask, etagOf, failure, HubUnavailableError, type Server, type Silence } from './hub-request.ts'
import { requireToken } from './hub-token.ts'
import type { Origin, RemoteFile } from './origin.ts'

const isChecksum = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/** @throws for a revision that is no name, and a token that cannot be one */
export function hubOrigin(id: string, revision: string, { endpoint, token }: HubEnvironment): Origin {
  if (!/^\w[\w.+/-]*$/.test(revision) || revision.includes('..'))
    throw new Error(`revision is '${revision}'; expected the name of a branch or tag, or a commit.`)
  if (token) requireToken(token)
  const server: Server = {
    name: `the hub at ${endpoint}`,
    token,
    advice: 'Give a model folder or its address instead, or set HF_ENDPOINT (the option endpoint) to a mirror.',
  }
  const url = (at: string, file: string, kind: 'resolve' | 'raw' = 'resolve'): string =>
    `${endpoint}/${id}/${kind}/${encodeURIComponent(at)}/${file}`
  const describe = network.seesRedirects ? describeByRedirect : describeByAnswer

  /** A large file's description is on the redirect to where it is; a renamed repository's redirect describes nothing. */
  async function describeByRedirect(file: string, at: string, silence: Silence): Promise<Description | undefined> {
    const isAnswer = ({ headers }: Response, { origin }: URL): boolean =>
      headers.has('x-linked-etag') || origin !== new URL(endpoint).origin
    const response = await ask(server, url(at, file), { method: 'HEAD', silence, isAnswer })
    if (isMissing(response, at)) return undefined
    const { headers } = response
    const checksum = etagOf(headers, 'x-linked-etag') || etagOf(headers)
    const commit = headers.get('x-repo-commit') ?? ''
    const size = announcedSize(response, headers.has('x-linked-size') ? 'x-linked-size' : 'content-length')
    if (!isChecksum(checksum) || !isCommit(commit) || !size)
      throw new Error(
        `${url(at, file)} came without the checksum, size and commit that a Hugging Face hub sends; is HF_ENDPOINT right?`,
      )
    return { checksum, commit, size, version: checksum }
  }

  /** Where redirects cannot be seen, the last answer describes the file; of a large one the hub's pointer has the checksum. */
  async function describeByAnswer(file: string, at: string, silence: Silence): Promise<Description | undefined> {
    const { response, size } = await askWhatIs(server, url(at, file), silence)
    if (isMissing(response, at)) return undefined
    if (isWebPage(response))
      throw new Error(
        `${url(at, file)} is a web page; expected a file of a Hugging Face hub. Is the option endpoint right?`,
      )
    const { headers } = response
    const said = etagOf(headers, 'x-linked-etag') || (response.redirected ? '' : etagOf(headers))
    const known = headers.get('x-repo-commit') ?? at
    const commit = isCommit(known) ? known : undefined
    const pointer =
      isChecksum(said) || !file.endsWith('.safetensors') ? {} : await readPointer(file, commit ?? at, silence)
    const checksum = isChecksum(said) ? said : pointer.checksum
    return {
      checksum,
      commit,
      size: pointer.size ?? size,
      version: etagOf(headers) || (headers.get('last-modified') ?? ''),
    }
  }

  /** What the hub keeps in git for a large file: `oid sha256:…` and `size …`. Nothing where it has none, or tells pages none. */
  async function readPointer(file: string, at: string, silence: Silence): Promise<Partial<Description>> {
    const response = await ask(server, url(at, file, 'raw'), { silence }).catch(error => {
      if (error instanceof HubUnavailableError) return undefined
      throw error
    })
    const size = response && announcedSize(response)
    if (response?.status !== 200 || size === undefined || size > 1024) {
      await response?.body?.cancel()
      return {}
    }
    const text = await response.text()
    const [, checksum] = /^oid sha256:([0-9a-f]{64})$/m.exec(text) ?? []
    const [, bytes] = /^size (\d+)$/m.exec(text) ?? []
    return checksum && bytes ? { checksum, size: Number(bytes) } : {}
  }

  /** @throws when the hub refuses */
  function isMissing(response: Response, at: string): boolean {
    const { status, headers } = response
    if (status === 404 && !/^(Repo|Revision)NotFound$/.test(headers.get('x-error-code') ?? '')) return true
    if (status >= 400) throw refusal(response, id, at, endpoint)
    return false
  }

  return {
    name: id,
    server,
    revision,
    isFixed: isCommit(revision),
    pathOf: file => `${id}/${file}`,
    lacks: (file, other) => (other === undefined ? `${id} has no ${file}` : `${id} has neither ${file} nor ${other}`),
    async describe(file, commit, silence): Promise<RemoteFile | undefined> {
      const at = commit ?? revision
      const described = await describe(file, at, silence)
      if (!described) return undefined
      const { checksum, version, size } = described
      const key = checksum ?? keyOf(id, file, described.commit ?? at, version)
      return { url: url(described.commit ?? at, file), file, commit: described.commit, key, checksum, size }
    },
  }
}

interface Description {
  checksum: string | undefined
  commit: string | undefined
  size: number | undefined
  /** What tells this content from others of the same file. */
  version: string
}

/** A key for a content whose checksum nobody says. */
export function keyOf(...parts: string[]): string {
  const hash = createSha256()
  hash.update(new TextEncoder().encode(parts.join('\n')))
  return hash.hex()
}

/** What an answer of 400 or more means, and what to do. */
function refusal(response: Response, id: string, revision: string, endpoint: string): Error {
  const { status, headers } = response
  const error = headers.get('x-error-message')
  const answer = error ? `${status} ${error}` : network.statusLine(response)
  if (status === 401 || status === 403)
    return new Error(
      `${endpoint} refuses ${id} (${answer}): it does not exist, or it is private or gated and needs HF_TOKEN (the option token).`,
    )
  if (status === 404 && headers.get('x-error-code') === 'RevisionNotFound')
    return new Error(`${id} has no revision '${revision}'.`)
  if (status === 404) return new Error(`${endpoint} has no model ${id}.`)
  return failure(status, `${endpoint} answered ${answer} for ${id}.`)
}
