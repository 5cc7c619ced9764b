/** What downloads go by: Hugging Face's environment variables in Node and Bun, its defaults in browsers, and the caller's options. */

export interface HubEnvironment {
  /** HF_ENDPOINT. @default https://huggingface.co */
  endpoint: string
  /** HF_TOKEN, or the token that `hf auth login` stored, without white space around it. */
  token?: string
  /** HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub; in browsers the name of a cache in Cache Storage. */
  cacheFolder: string
  /** HF_HUB_OFFLINE: nothing is asked of the network. */
  offline: boolean
  /** VITRAL_HUB_MAX_BYTES: the most that the files of a model may have together. @default 64 GiB */
  maxBytes: number
  /** HF_HUB_DOWNLOAD_TIMEOUT: how long the hub may be silent. @default 30 */
  timeoutSeconds: number
}

/** What holds where neither a variable nor an option says otherwise. */
export const environmentDefaults: Omit<HubEnvironment, 'cacheFolder'> = {
  endpoint: 'https://huggingface.co',
  offline: false,
  maxBytes: 64 * 2 ** 30,
  timeoutSeconds: 30,
}
