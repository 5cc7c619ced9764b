/**
 * Programs whose workgroups reduce a row each: sums and maxima over their lanes. Where the adapter has subgroups of one size, a
 * workgroup is one subgroup, and needs neither memory of the workgroup nor barriers.
 */
import { DEFAULT_LANES, type Program, program } from './program.ts'
import { maxOfLanes, sumOfLanes } from './wgsl.ts'

/** A program for each way that devices reduce. */
export type RowProgram<Binding extends string, Constant extends string> = (
  device: GPUDevice,
) => Program<Binding, Constant>

/** Declares a program whose text may call `sumOfLanes(value, lane)` and `maxOfLanes(value, lane)`, in all lanes at once. */
export function rowProgram<Binding extends string, Constant extends string>(
  text: Omit<Program<Binding, Constant>, 'lanes' | 'enable'>,
): RowProgram<Binding, Constant> {
  const made = new Map<number, Program<Binding, Constant>>()
  return device => {
    const lanes = subgroupLanes(device) ?? 0
    let found = made.get(lanes)
    if (!found) {
      const { name, declarations = '' } = text
      const own = { ...text, name: `${name} ${lanes}` }
      found = lanes
        ? program({ ...own, lanes, enable: ['subgroups'], declarations: bySubgroup + declarations })
        : program({ ...own, declarations: sumOfLanes(DEFAULT_LANES) + maxOfLanes(DEFAULT_LANES) + declarations })
      made.set(lanes, found)
    }
    return found
  }
}

const bySubgroup = `
fn sumOfLanes(value: f32, lane: u32) -> f32 { return subgroupAdd(value); }
fn maxOfLanes(value: f32, lane: u32) -> f32 { return subgroupMax(value); }`

/** The size of the device's subgroups, where they have one alone: then a workgroup of so many lanes is a subgroup. */
function subgroupLanes({ adapterInfo, features }: GPUDevice): number | undefined {
  const { subgroupMinSize, subgroupMaxSize } = adapterInfo ?? {}
  return features.has('subgroups') && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined
}
