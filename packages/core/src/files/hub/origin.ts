/** Where the files of a model come from: a repository of a hub, or a folder of any server. */
import type { Server, Silence } from './hub-request.ts'

/** A file as its server describes it. */
export interface RemoteFile {
  url: string
  file: string
  /** The hub's commit that it is of. */
  commit?: string | undefined
  /** Name that it is kept by: contents of the same key are the same. */
  key: string
  /** sha256 of a large file, git's blob sha1 of a small one; undefined where the server says none. */
  checksum?: string | undefined
  /** Bytes; undefined where the server does not say. */
  size?: number | undefined
}

export interface Origin {
  /** What errors call it: 'google/vit-base-patch16-224', or an address. */
  readonly name: string
  readonly server: Server
  /** What a revision is called where none was asked for. */
  readonly revision: string
  /** Whether the files of that revision never change. */
  readonly isFixed: boolean
  /** Where a file is, for messages. */
  pathOf(file: string): string
  /**
   * Asks what a file is.
   *
   * @param commit the one that other files of this model were of
   * @returns undefined when there is no such file; `lacks` then says what the server answered
   * @throws when the server cannot be reached, and when it refuses, with what to do
   */
  describe(file: string, commit: string | undefined, silence: Silence): Promise<RemoteFile | undefined>
  /** A sentence without its full stop: that there is no such file, nor the other. */
  lacks(file: string, other?: string): string
}
