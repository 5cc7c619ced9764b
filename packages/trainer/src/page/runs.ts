/** Runs in this site's storage. */
import { disk } from '@vitral/core/files'
import { runPaths } from '../run/folder.ts'

/** Whether a run was begun in a folder, so that it can be resumed. */
export const hasRun = (out: string): Promise<boolean> => disk.exists(runPaths(out).config)

/** Removes a run with its checkpoints and models, if it is there. No tab may train it. */
export const removeRun = (out: string): Promise<void> => disk.remove(out)
