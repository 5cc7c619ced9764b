/** Models that differ between processes are refused, by the name of what differs. */
import { expect, test } from 'bun:test'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { alone, type Collectives } from '../ddp/collectives.ts'
import { broadcastParameters } from './broadcast-state.ts'

const config = { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, numLabels: 3 }

/** What another process would send, as rank 1. */
const besides = (theirs: Uint8Array): Collectives => ({
  ...alone,
  worldSize: 2,
  allGather: async bytes => [bytes, theirs],
})

async function manifestOf(model: ViTForImageClassification): Promise<Uint8Array> {
  let sent = new Uint8Array()
  const collectives: Collectives = {
    ...alone,
    async allGather(bytes) {
      sent = bytes.slice()
      return [bytes]
    },
  }
  await broadcastParameters(collectives, model.parameters())
  return sent
}

test('the first parameter that is missing, of another shape, or frozen elsewhere is named', async () => {
  await useBackend('cpu')
  const model = new ViTForImageClassification(config)
  const cases: [ViTForImageClassification, string][] = [
    [
      new ViTForImageClassification({ ...config, numLabels: 4 }),
      'The model of rank 1 is not that of rank 0: classifier.weight is there shape [4,8], of rank 0 shape [3,8].',
    ],
    [
      new ViTForImageClassification({ ...config, qkvBias: false }),
      'vit.encoder.layer.0.attention.attention.query.bias is there no such parameter, of rank 0 shape [8].',
    ],
  ]
  const frozen = new ViTForImageClassification(config)
  frozen.setTrainable('head')
  cases.push([frozen, 'vit.embeddings.cls_token is there shape [1,1,8], frozen, of rank 0 shape [1,1,8].'])
  for (const [other, message] of cases) {
    const theirs = await manifestOf(other)
    await expect(broadcastParameters(besides(theirs), model.parameters())).rejects.toThrow(message)
    other.dispose()
  }
  model.dispose()
})
