/** The public description of a model in any state: as it was loaded last, or as its folder describes it. */
import type { ModelDescription } from '../engine.ts'
import type { LoadedDescription } from '../workers/protocol.ts'
import type { ResolvedModelOptions } from './options.ts'

/** @param loaded undefined if the folder has not been read yet: then names are known, and sizes are 0 */
export function modelDescription(
  { name, backend, precision }: ResolvedModelOptions,
  loaded: LoadedDescription | undefined,
): Omit<ModelDescription, 'state' | 'error'> {
  if (!loaded)
    return {
      ...{ name, backend, precision, version: '' },
      ...{
        classifies: true,
        labels: [],
        imageSize: [0, 0],
        numChannels: 0,
        featureSize: 0,
        scoring: 'softmax' as const,
      },
    }
  const { geometry: _, memory: __, unknownFields: ___, ...known } = loaded
  return { name, ...known }
}
