/** What a model is, without its weights. */
import { resolveConfig, type ViTConfig } from '../vit/config.ts'
import { checkCounts } from '../vit/pretrained/weight-counts.ts'
import { type HubOptions, readFolder } from './hub/hub.ts'
import { readConfigFile } from './model-folder.ts'
import { openWeightFiles, WEIGHTS, weightFileNames } from './weight-files.ts'

/**
 * Reads the `config.json` of a folder, an address or a hub id; nothing else is downloaded, but the weights of a model of
 * timm's, which alone say its sizes. Where the weights are all there, their headers are compared with it.
 *
 * @param source a path, an address of http or https, or `owner/name`
 * @returns with the defaults of what it leaves out
 * @throws when it is missing, malformed, or describes no ViT
 */
export function readModelConfig(source: string | URL, options: HubOptions = {}): Promise<ViTConfig> {
  return readFolder(source, 'model', options, async folder => {
    const names = new Set(await folder.list())
    const files = await weightFileNames(folder, file => names.has(file))
    let weights = files?.every(file => names.has(file)) ? await openWeightFiles(folder) : undefined
    const { options: config } = await readConfigFile(folder, async ({ options: { modelType } }) => {
      if (modelType === 'timm') weights ??= await openWeightFiles(folder) // its sizes are nowhere else
      return weights
    })
    if (!weights && config.modelType === 'timm')
      throw new Error(`${folder.lacks(WEIGHTS)}, which says the sizes of a model of timm's.`)
    if (weights) checkCounts(config, weights.shapes, folder.name)
    return resolveConfig(config, folder.pathOf('config.json'))
  })
}
