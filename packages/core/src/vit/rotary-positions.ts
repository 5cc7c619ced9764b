/** The angles of rotary positions in two dimensions: DINOv3's. */

export interface Rotation {
  /** [N, D/2] of the patches, row by row. */
  cosines: Float32Array
  sines: Float32Array
}

const known = new Map<string, Rotation>()

/**
 * The centres of the patches lie between −1 and 1 in both directions, whatever the grid is; the first quarter of a head's
 * columns turns by y, the next by x, by 2π / theta^(4i / D) each. Source: DINOv3 (Siméoni et al. 2025), transformers'
 * DINOv3ViTRopePositionEmbedding without its augmentations.
 *
 * @param headSize D, a multiple of 4
 * @returns the same arrays each time
 */
export function rotationOf(
  [rows, columns]: readonly [rows: number, columns: number],
  headSize: number,
  theta: number,
): Rotation {
  const key = [rows, columns, headSize, theta].join()
  const found = known.get(key)
  if (found) return found
  const quarter = headSize / 4
  const angles = new Float64Array(rows * columns * 2 * quarter)
  for (let patch = 0; patch < rows * columns; patch++) {
    const y = (2 * (Math.floor(patch / columns) + 0.5)) / rows - 1
    const x = (2 * ((patch % columns) + 0.5)) / columns - 1
    for (let i = 0; i < quarter; i++) {
      const frequency = (2 * Math.PI) / theta ** (i / quarter)
      angles[patch * 2 * quarter + i] = y * frequency
      angles[patch * 2 * quarter + quarter + i] = x * frequency
    }
  }
  const rotation = { cosines: Float32Array.from(angles, Math.cos), sines: Float32Array.from(angles, Math.sin) }
  known.set(key, rotation)
  return rotation
}
