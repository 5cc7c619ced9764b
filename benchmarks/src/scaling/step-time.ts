/** How long a data-parallel training step takes on N devices, computed from what one device and one link were measured at. */

export interface Device {
  /** Seconds of the forward pass, and of what comes after the gradients: clipping and the optimizer's step. */
  forward: number
  update: number
  /** Seconds of the backward pass; the gradients become final evenly over it, the last layers' first. */
  backward: number
  /** Standard deviation of a step's time, as a share of it: all wait for the slowest. */
  spread: number
}

export interface Network {
  /** Seconds that a message takes beside its bytes. */
  latency: number
  /** Bytes a second, each way, of each device's link. */
  bandwidth: number
}

export interface Job {
  /** Bytes of all gradients, and of a bucket. */
  gradientBytes: number
  bucketBytes: number
}

export interface StepTime {
  /** Seconds of a step. */
  step: number
  /** Seconds of communication in it, and the share of that which the backward pass hides. */
  communication: number
  hidden: number
  /** Share of what N devices without communication and differences would do. */
  efficiency: number
}

/**
 * A ring all-reduce (Patarasuk and Yuan, 2009): 2·(N − 1) messages of a part of S / N each, all links busy at once.
 *
 * @returns seconds
 */
export const allReduceTime = (bytes: number, devices: number, { latency, bandwidth }: Network): number =>
  devices === 1 ? 0 : 2 * (devices - 1) * (latency + bytes / devices / bandwidth)

/**
 * Buckets are sent one after the other, each as soon as its gradients are final and the one before it is through. The
 * slowest of N devices, of normally distributed times, is √(2·ln N) deviations late, an upper bound of its expectation.
 *
 * @example
 * stepTime(1, device, network, job).efficiency // 1
 */
export function stepTime(devices: number, device: Device, network: Network, job: Job): StepTime {
  const { forward, backward, update, spread } = device
  const alone = forward + backward + update
  const late = alone * spread * Math.sqrt(2 * Math.log(devices))
  const ends = forward + backward + late
  let free = 0
  let communication = 0
  for (let sent = 0; sent < job.gradientBytes; sent += job.bucketBytes) {
    const bytes = Math.min(job.bucketBytes, job.gradientBytes - sent)
    const final = late + forward + backward * ((sent + bytes) / job.gradientBytes)
    const time = allReduceTime(bytes, devices, network)
    free = Math.max(final, free) + time
    communication += time
  }
  const waits = Math.max(0, free - ends)
  const step = ends + waits + update
  return {
    step,
    communication,
    hidden: communication === 0 ? 1 : 1 - waits / communication,
    efficiency: alone / step,
  }
}
