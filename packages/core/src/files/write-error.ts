/** What a write that failed tells: which file, why in plain words, and what would help. */

/** A file that could not be written; what was there before is as it was. */
export class WriteError extends Error {
  /** Name of the error's class. */
  override readonly name = 'WriteError'
  /** The file that was to be written. */
  readonly path: string
  /** The system's, such as 'ENOSPC'. */
  readonly code: string

  /** An error of one line, with the system's code. */
  constructor(message: string, { path, code, cause }: { path: string; code: string; cause: unknown }) {
    super(message, { cause })
    this.path = path
    this.code = code
  }
}

/** What is left on a file system. */
export interface FreeSpace {
  bytes: number
  /** Inodes. */
  files: number
}

interface Failure {
  path: string
  /** To be written. */
  bytes: number
  /** Where it is known. */
  free?: FreeSpace
}

/** What to do about a failure, by the system's code. */
const reasons: Readonly<Record<string, (failure: Failure) => string>> = {
  ENOSPC: ({ bytes, free }) =>
    free?.files === 0
      ? 'the disk has no inode left for another file. Remove some files'
      : `the disk is full: ${count(bytes)} bytes are needed${free ? `, ${count(free.bytes)} are free` : ''}. Free some space`,
  EDQUOT: ({ bytes }) => `the quota is used up: ${count(bytes)} bytes are needed. Free some space`,
  EFBIG: ({ bytes }) => `its ${count(bytes)} bytes are more than a file may have here. Choose another folder`,
  EROFS: () => 'the file system is read-only. Choose another folder',
  EACCES: () => 'this user may not write there. Change the permissions, or choose another folder',
  EPERM: () => 'this user may not write there. Change the permissions, or choose another folder',
  ENOTDIR: () => 'a part of the path is a file. Choose another folder',
  EIO: () => 'the disk fails. Choose another one',
}

/** The file system's error in words; one of another kind comes back as it is. */
export function writeError(error: unknown, failure: Failure): unknown {
  const { code } = error as { code?: string }
  const reason = code === undefined ? undefined : reasons[code]
  if (code === undefined || !reason) return error
  return new WriteError(`${failure.path} cannot be written: ${reason(failure)}.`, {
    path: failure.path,
    code,
    cause: error,
  })
}

const count = (number: number): string => number.toLocaleString('en-US')
