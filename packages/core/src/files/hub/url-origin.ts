/** Files of a model folder on any server: its address, with the name of each file after it. */
import { network } from '#network'
import { printable } from '../../text.ts'
import { askWhatIs, isWebPage } from './describe-request.ts'
import { keyOf } from './hub-origin.ts'
import { etagOf, failure, type Server } from './hub-request.ts'
import { requireToken } from './hub-token.ts'
import type { Origin, RemoteFile } from './origin.ts'

/**
 * @param base of http or https; what follows its `?` is sent with each file's name, and is neither printed nor part of keys
 * @param revision the user's name of the version that is there; with one the server is asked only for what is not kept yet
 * @param token sent to this server alone; never the hub's of the environment
 */
export function urlOrigin(base: URL, revision: string | undefined, token: string | undefined): Origin {
  if (token) requireToken(token)
  const folder = `${base.origin}${base.pathname.replace(/\/+$/, '')}`
  const server: Server = {
    name: folder,
    token,
    advice: 'Check the address, and in a page of another site that the server allows it (CORS).',
  }
  const missing = new Map<string, string>()
  const pathOf = (file: string): string => printable(`${folder}/${file}`)
  return {
    name: printable(folder),
    server,
    revision: revision ?? '',
    isFixed: revision !== undefined,
    pathOf,
    lacks: (file, other) =>
      [file, ...(other === undefined ? [] : [other])]
        .map(name => `${pathOf(name)} ${missing.get(name) ?? 'is not there'}`)
        .join(', and '),
    async describe(file, _commit, silence): Promise<RemoteFile | undefined> {
      const url = `${folder}/${file}${base.search}`
      const { response, size } = await askWhatIs(server, url, silence)
      const { status, headers } = response
      if (status >= 400) {
        const error = failure(status, `${pathOf(file)} answered ${network.statusLine(response)}.`)
        if (error.name === 'HubUnavailableError') throw error
        missing.set(file, `answered ${network.statusLine(response)}`)
        return undefined
      }
      if (isWebPage(response)) {
        missing.set(file, 'is a web page')
        return undefined
      }
      // A server that says no version may have another content each time.
      const version = etagOf(headers) || headers.get('last-modified') || globalThis.crypto.randomUUID()
      const key = keyOf(folder, file, revision ?? '', version, `${size ?? ''}`)
      return { url, file, key, size: size || undefined } // some servers answer HEAD with a length of 0
    },
  }
}
