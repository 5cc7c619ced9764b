/**
 * What downloading needs of the machine it runs on: the package's `#network` is node-network.ts in Node and Bun, and
 * browser-network.ts in browsers. Everything else about downloads is one text.
 */
import type { HubEnvironment } from './hub-environment.ts'
import type { ModelStore } from './model-store.ts'

export interface Network {
  environment(): HubEnvironment
  /**
   * Whether an answer that redirects can be seen. A browser follows redirects unseen, and takes the token off, by the
   * fetch standard, where one leads to another host (Chromium since 119, Firefox since 111, Safari since 16.1).
   */
  seesRedirects: boolean
  /** @throws as fetch does */
  fetch(url: URL, init: RequestInit): Promise<Response>
  /** What the way to an address leads through, for messages. */
  proxyVariable(url: URL): string | undefined
  /** Such as '503 Service Unavailable'. */
  statusLine(response: Response): string
  /** The address that a text names, absolute or relative to the page; undefined where it names none. */
  locate(text: string): URL | undefined
  /** The path of an address of the scheme file; undefined where there are no paths. */
  pathOfUrl(url: URL): string | undefined
  /** What `locate` takes and a user would write, for messages. */
  addresses: string
  /** Where the files of a model are kept: of a hub's repository by its id, of any server by its address. */
  openStore(cacheFolder: string, model: string, onWarning: (message: string) => void): Promise<ModelStore>
}
