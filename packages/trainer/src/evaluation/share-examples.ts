/** The images of an evaluation in several processes that say most: those of all, in every process. */
import { fromBase64, toBase64 } from '../base64.ts'
import type { Collectives } from '../ddp/collectives.ts'
import type { ExampleImage, ExampleImages } from './example-images.ts'

/** Adds the other processes' images. */
export async function shareExamples(collectives: Collectives, examples: ExampleImages): Promise<void> {
  if (collectives.worldSize === 1) return
  const own = [...examples.mistakes, ...examples.hits].map(pack)
  const all = await collectives.allGather(new TextEncoder().encode(JSON.stringify(own)))
  for (const [rank, bytes] of all.entries())
    if (rank !== collectives.rank)
      for (const packed of JSON.parse(new TextDecoder().decode(bytes)) as Packed[]) examples.keep(unpack(packed))
}

type Packed = Omit<ExampleImage, 'pixelValues'> & { pixelValues: string }

const pack = ({ pixelValues, ...rest }: ExampleImage): Packed => {
  const { buffer, byteOffset, byteLength } = pixelValues
  return { ...rest, pixelValues: toBase64(new Uint8Array(buffer, byteOffset, byteLength)) }
}

const unpack = ({ pixelValues, ...rest }: Packed): ExampleImage => ({
  ...rest,
  pixelValues: new Float32Array(fromBase64(pixelValues).buffer),
})
