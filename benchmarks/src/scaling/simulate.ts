/**
 * Prints how a training step would scale from 4 to 1,024 devices, by the model in step-time.ts:
 * `bun benchmarks/src/scaling/simulate.ts`. What was measured, and what is assumed, is in apps/docs/pages/scaling.md.
 */
import { percent } from '@vitral/core/text'
import { markdownTable } from '../markdown-table.ts'
import { type Device, type Job, type Network, stepTime } from './step-time.ts'

/**
 * ViT-B/16, eight images a step in bfloat16 on two CPU cores: 0.93 s, measured. Of it Adam is taken to be its 28 bytes a
 * parameter at the memory's 21 GB/s, and the forward pass a third of the rest, as its operations are.
 */
const device: Device = { forward: 0.273, backward: 0.547, update: 0.11, spread: 0.02 }
/** The same a hundred times as fast: a GPU's speed, on which nothing was measured. */
const fast: Device = { forward: 0.00273, backward: 0.00547, update: 0.0011, spread: 0.02 }
/**
 * ViT-B/16, four images a step in float32 on one of two cores: 1.83 s, measured, divided as above, with Adam's bytes at the
 * 8.9 GB/s that two processes have which copy at once; and what joins them, by the 350 MB that they sum in 84 ms.
 */
const core: Device = { forward: 0.52, backward: 1.04, update: 0.27, spread: 0.02 }
const memory: Network = { latency: 7e-6, bandwidth: 4.15e9 }
/** 85.8 million parameters in float32; PyTorch's buckets, which are ours. */
const job: Job = { gradientBytes: 343e6, bucketBytes: 25 * 2 ** 20 }

const networks: Record<string, Network> = {
  '1 Gbit/s Ethernet': { latency: 50e-6, bandwidth: 0.117e9 },
  '10 Gbit/s Ethernet': { latency: 20e-6, bandwidth: 1.17e9 },
  '100 Gbit/s InfiniBand': { latency: 3e-6, bandwidth: 11.7e9 },
}
const counts = [4, 16, 64, 256, 1024]

const rounded = (share: number): string => (share < 0.01 ? '< 1%' : percent(share, 0))

const rows = Object.entries({ 'two CPU cores': device, 'a hundred times as fast': fast }).flatMap(([name, worker]) =>
  Object.entries(networks).map(([network, link]) => [
    name,
    network,
    ...counts.map(devices => {
      const { efficiency, hidden } = stepTime(devices, worker, link, job)
      return `${rounded(efficiency)} (${rounded(hidden)})`
    }),
  ]),
)
const two = stepTime(2, core, memory, job)
console.log(
  `Two processes on one machine: ${(2 * two.efficiency).toFixed(2)}× one, ${rounded(two.hidden)} of the communication hidden.\n`,
)
console.log(markdownTable([['device', 'network', ...counts.map(devices => `${devices} devices`)], ...rows]))
