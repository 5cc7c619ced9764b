/** The addon's functions of several processes. */
import { loadAddon } from './addon.ts'

/** One process's part in a run, and the thread that carries out its operations. */
export type Group = object & { readonly __group: never }

/** How the processes of one machine meet, and those of an mpirun, whose libraries are files, one in a line. */
type LocalPlace = [worldSize: number, rank: number, name: string, id: string, token: string, timeout: number]
type MpiPlace = [worldSize: number, rank: number, libraries: string, token: string, timeout: number]
/** Which of the CUDA devices a process takes, and files as above. */
type CudaDevice = [localRank: number, ncclLibraries: string, cudaLibraries: string]

/** What is begun in a group runs after what was begun there before. */
export interface CollectivesAddon {
  connectLocal(...place: LocalPlace): Group
  /** Takes the first of the libraries that is there. */
  connectMpi(...place: MpiPlace): Group
  connectNcclLocally(...place: [...LocalPlace, ...CudaDevice]): Group
  connectNcclByMpi(...place: [...MpiPlace, ...CudaDevice]): Group
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
