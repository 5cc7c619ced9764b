/** Whether a classifier is as often right as it is sure: the expected calibration error. */

const bins = 15

/** Images of a range of confidence, and how often they were right. */
export interface CalibrationBin {
  /** Images whose confidence is in this fifteenth of 0 to 1; the last one holds 1. */
  count: number
  /** Mean of their confidences; null when there is none. */
  confidence: number | null
  /** The part that was recognised. */
  accuracy: number | null
}

/** Source: Guo et al. 2017, On Calibration of Modern Neural Networks: bins of equal width. */
export class Calibration {
  readonly #counts = new Float64Array(bins)
  readonly #confidences = new Float64Array(bins)
  readonly #recognised = new Float64Array(bins)

  /** @param confidence the probability of the class that was chosen */
  add(confidence: number, recognised: boolean): void {
    const bin = Math.min(bins - 1, Math.floor(confidence * bins))
    this.#counts[bin] = (this.#counts[bin] as number) + 1
    this.#confidences[bin] = (this.#confidences[bin] as number) + confidence
    if (recognised) this.#recognised[bin] = (this.#recognised[bin] as number) + 1
  }

  /** @param count of all images */
  result(count: number): { ece: number; calibration: CalibrationBin[] } {
    let ece = 0
    const calibration = Array.from(this.#counts, (images, bin): CalibrationBin => {
      if (images === 0) return { count: 0, confidence: null, accuracy: null }
      const confidence = (this.#confidences[bin] as number) / images
      const accuracy = (this.#recognised[bin] as number) / images
      ece += (Math.abs(confidence - accuracy) * images) / count
      return { count: images, confidence, accuracy }
    })
    return { ece, calibration }
  }
}
