/** What the splits of a data set are called by people, in folders and in lists. */
import type { Split } from './split.ts'

const names: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation', 'dev'],
  test: ['test', 'testing', 'eval', 'evaluation', 'holdout'],
}

/** The split of that name, in any case; undefined for what names none. */
export function splitNamed(name: string): Split | undefined {
  const plain = name.trim().toLowerCase()
  return (Object.keys(names) as Split[]).find(split => names[split].includes(plain))
}
