/** The addon's functions of several processes. */
import { loadAddon } from './addon.ts'

/** One process's part in a run, and the thread that carries out its operations. */
export type Group = object & { readonly __group: never }

/** What is begun in a group runs after what was begun there before. */
export interface CollectivesAddon {
  connectLocal(worldSize: number, rank: number, name: string, id: string, token: string, timeout: number): Group
  /** @param libraries files of MPI, one in a line, of which the first that is there is taken */
  connectMpi(worldSize: number, rank: number, libraries: string, token: string, timeout: number): Group
  /** @param localRank which of the CUDA devices it takes; the rest as of connectLocal, by which they meet */
  connectNcclLocally(
    worldSize: number,
    rank: number,
    name: string,
    id: string,
    token: string,
    timeout: number,
    localRank: number,
    ncclLibraries: string,
    cudaLibraries: string,
  ): Group
  /** The same, for processes that meet as by connectMpi. */
  connectNcclByMpi(
    worldSize: number,
    rank: number,
    libraries: string,
    token: string,
    timeout: number,
    localRank: number,
    ncclLibraries: string,
    cudaLibraries: string,
  ): Group
  /** Settles once the group has connected. */
  connected(group: Group): Promise<void>
  allReduce(group: Group, count: number, values: Float32Array): Promise<void>
  broadcast(group: Group, size: number, root: number, bytes: Uint8Array): Promise<void>
  /** @param equal whether all have as many bytes, which otherwise they tell each other first */
  allGather(group: Group, size: number, bytes: Uint8Array, equal: boolean): Promise<Uint8Array[]>
  barrier(group: Group): Promise<void>
  /** What waits in the group, for others to connect too, has failed after it. */
  interruptCollectives(group: Group): void
  /**
   * What was begun before ends first. Never rejects.
   *
   * @param reason of a failure of this process, which the others are told; '' where there is none
   */
  closeCollectives(group: Group, reason: string): Promise<void>
  removeLeftSegments(prefix: string): void
  /** @returns whether this process will end so many seconds after the one that started it */
  endWithParent(seconds: number): boolean
}

/** @throws when there is no binary for this platform, or it is of another version, with how to build it */
export function loadCollectivesAddon(): CollectivesAddon {
  const addon = loadAddon() as object as Partial<CollectivesAddon>
  if (!addon.endWithParent)
    throw new Error('The native kernels here are older than this package; build them again by: npx vitral-build-native')
  return addon as CollectivesAddon
}
