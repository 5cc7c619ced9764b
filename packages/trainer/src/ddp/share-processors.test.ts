/** How many threads each process of a machine gets, by what its launcher says. */
import { expect, test } from 'bun:test'
import { processesHere, processorsHere, threadsEach, threadsHere } from './share-processors.ts'

const srun = { SLURM_STEP_NUM_TASKS: '7', SLURM_STEP_NUM_NODES: '4', SLURM_STEP_TASKS_PER_NODE: '2(x3),1' }

test('Slurm says how many processes are on a machine', () => {
  const at = (node: number): number => processesHere({ ...srun, SLURM_NODEID: String(node) })
  expect([0, 1, 2, 3].map(at)).toEqual([2, 2, 2, 1])
  expect(processesHere({ SLURM_STEP_NUM_TASKS: '3', SLURM_STEP_NUM_NODES: '1' })).toBe(3)
  expect(processesHere({ SLURM_NTASKS: '3' })).toBe(1)
  expect(processesHere({ ...srun, LOCAL_WORLD_SIZE: '5' })).toBe(5)
})

test('a process that is alone takes what its backend takes by default', () => {
  expect(threadsHere({})).toBeUndefined()
  expect(threadsHere({ LOCAL_WORLD_SIZE: '2', OMP_NUM_THREADS: '3' })).toBe(3)
})

test('processors that Slurm has bound to a process are not divided once more', () => {
  const env = { SLURM_STEP_NUM_TASKS: '2', SLURM_STEP_NUM_NODES: '1', SLURM_CPUS_ON_NODE: '8' }
  const threads = (visible: number): number => threadsEach(2, undefined, processorsHere(env, 2, visible))
  expect(threads(4)).toBe(4) // bound: it sees four of the eight
  expect(threads(8)).toBe(4)
  expect(threads(64)).toBe(4) // the allocation is a part of a machine that nothing confines it to
  expect(processorsHere({}, 2, 6)).toBe(6)
})
