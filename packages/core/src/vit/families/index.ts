/** The family as one table, and who a configuration is of. */
import type { ViTConfig } from '../config.ts'
import { beit, data2vecVision } from './beit.ts'
import { clipVision, siglipVision } from './clip.ts'
import { dinov2, dinov2WithRegisters, dinov3 } from './dinov2.ts'
import type { Family } from './family.ts'
import type { ModelType } from './model-types.ts'
import { timm } from './timm.ts'
import { deit, ijepa, vit, vitMae, vitMsn } from './vit.ts'

export const families: Readonly<Record<ModelType, Family>> = {
  vit,
  deit,
  vit_msn: vitMsn,
  vit_mae: vitMae,
  ijepa,
  dinov2,
  dinov2_with_registers: dinov2WithRegisters,
  dinov3_vit: dinov3,
  clip_vision_model: clipVision,
  siglip_vision_model: siglipVision,
  beit,
  'data2vec-vision': data2vecVision,
  timm,
}

export const familyOf = ({ modelType }: Pick<ViTConfig, 'modelType'>): Family => families[modelType]

/** The class that a classifier of this configuration is in transformers. */
export function classifierArchitecture({ modelType }: Pick<ViTConfig, 'modelType'>): string {
  const { architectures, classifierType = modelType } = families[modelType]
  return architectures.classifier ?? families[classifierType].architectures.classifier ?? architectures.model
}
