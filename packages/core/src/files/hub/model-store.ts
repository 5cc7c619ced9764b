/** Where downloaded files of one model are kept: its contents by their keys, and for each revision which files it has. */
import type { OpenFile } from '../disk/disk.ts'

/** The files of a model that belong together. */
export interface Listing {
  /** The hub's commit; of any other server what its files' versions make. */
  version: string
  /** Keys of contents by the names of files. */
  files: ReadonlyMap<string, string>
}

export interface ModelStore {
  /** What messages call it. */
  readonly name: string
  /** Whether what it holds is as it was when it was verified, so that a checksum need not be computed at each load. */
  readonly guardsContent: boolean
  /** A content that arrived whole and was verified. */
  open(key: string): Promise<OpenFile | undefined>
  /** A content that is arriving: bytes of an earlier attempt are in it. */
  receive(key: string): Promise<IncomingFile>
  /** Does the work when nobody else does the same for this key, here or in another process or page. */
  whileLocked<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
  /** What a revision had when it was remembered last. */
  listing(revision: string): Promise<Listing | undefined>
  /** Makes it what is taken when the network is away; what no revision has any more may be removed. */
  remember(revision: string, listing: Listing): Promise<void>
  /** The folder in which the files of a version have their names, where there are folders. */
  snapshot?(version: string): string
}

export interface IncomingFile {
  /** Bytes so far. */
  readonly received: number
  append(bytes: Uint8Array): Promise<void>
  /** Forgets the bytes so far. */
  restart(): Promise<void>
  /** Reads back what came. */
  open(): Promise<OpenFile>
  /** Makes it a whole content, which others find by its key. */
  complete(): Promise<void>
  /** Ends the work on it; what came stays for another attempt. */
  close(): Promise<void>
}
