/**
 * Where files are: the file system in Node and Bun, the origin private file system (OPFS) in browsers. The package's
 * `#platform` has the one of the two that there is where it runs; everything that reads or writes goes through it.
 */
export interface Disk {
  /** The path of a file in a folder, or in a folder of it. */
  join(...parts: string[]): string
  /** The folder that a path is in. */
  dirname(path: string): string
  /** The last name of a path. */
  basename(path: string): string
  /** Whether there is a file or a folder. */
  exists(path: string): Promise<boolean>
  /** Names of the files and folders in a folder. @throws when there is no such folder */
  list(folder: string): Promise<string[]>
  /** Files in a folder and in the folders in it, by their paths below it, with '/'; sorted. @throws as `list` */
  files(folder: string): Promise<string[]>
  /** Opens a file to read it. @throws when there is none */
  open(path: string): Promise<OpenFile>
  /** A file's text. @throws when there is none */
  readText(path: string): Promise<string>
  /**
   * Replaces a file so that a reader, or whoever comes after a crash, finds the old content or the new, never a part.
   *
   * @param pieces bytes in order
   * @throws WriteError when there is no room or no permission; the file is then as it was before
   */
  write(path: string, pieces: readonly Uint8Array[]): Promise<void>
  /** Adds to the end of a file, which is made if it is missing. @throws as `write` */
  append(path: string, bytes: Uint8Array): Promise<void>
  /** Makes a folder, and those it is in, unless they are there. @throws WriteError when it cannot */
  makeFolder(folder: string): Promise<void>
  /**
   * Makes a folder that is not there yet. In Node and Bun it is filled aside and renamed; OPFS cannot rename folders, and
   * there it counts as made with its last file, which is the one that its readers ask for first.
   *
   * @param fill writes the files into the folder that it is given
   */
  createFolder(folder: string, fill: (folder: string) => Promise<void>): Promise<void>
  /** Removes a file, or a folder with all that is in it, if it is there. */
  remove(path: string): Promise<void>
  /** Removes from a folder what writers left that were killed. Call it when nobody writes there. */
  removeLeftovers(folder: string): Promise<void>
  /** Makes it durable that files were made, renamed and removed in a folder. */
  flush(folder: string): Promise<void>
}

/** A file that is open for reading or writing. */
export interface OpenFile {
  /** Bytes. */
  readonly size: number
  /**
   * Reads into the bytes what is at a position of the file, as much as one call takes.
   *
   * @returns how many bytes were read; 0 at the end of the file
   */
  read(bytes: Uint8Array, position: number): Promise<number>
  /** Closes the file. */
  close(): Promise<void>
}
