/** Names of classes in a `config.json`: `id2label`, checked against `label2id`. */
import { describeValue } from '../../files/fields.ts'

/**
 * The names by index.
 *
 * @param id2label HF's map from "0" to "K − 1", or a list; a name that is a number becomes its digits
 * @param label2id the inverse, if the file has it: it names the classes alone where there is no id2label
 * @param source what errors call the file
 * @throws when an index is missing, a name is no text, or the two maps contradict each other
 */
export function namesOfLabels(id2label: unknown, label2id: unknown, source: string): Record<number, string> {
  if (id2label === undefined) return inverse(label2id, source)
  const entries = typeof id2label === 'object' && id2label !== null ? Object.entries(id2label) : []
  const complete = entries.every(([, label], i) => isName(label) && Object.hasOwn(id2label as object, i))
  if (!complete || (entries.length === 0 && JSON.stringify(id2label) !== '{}'))
    throw new Error(`${source}: id2label is not a map from "0" … "K − 1" to names.`)
  const names = Object.fromEntries(entries.map(([id, label]) => [Number(id), String(label)]))
  if (typeof label2id === 'object' && label2id !== null) checkInverse(names, label2id as object, source)
  return names
}

const isName = (label: unknown): boolean => typeof label === 'string' || Number.isFinite(label)

function inverse(label2id: unknown, source: string): Record<number, string> {
  const entries = typeof label2id === 'object' && label2id !== null ? Object.entries(label2id) : []
  const names = Object.fromEntries(entries.map(([name, id]) => [Number(id), name]))
  if (entries.length === 0 || !entries.every((_, i) => Object.hasOwn(names, i)))
    throw new Error(`${source}: label2id is not a map from names to 0 … K − 1, and there is no id2label.`)
  return names
}

/** A name that only label2id has, such as a LABEL_0 left from before the classes had names, contradicts nothing. */
function checkInverse(names: Record<number, string>, label2id: object, source: string): void {
  const known = new Set(Object.values(names))
  for (const [name, id] of Object.entries(label2id))
    if (known.has(name) && names[Number(id)] !== name) {
      const index = Object.keys(names).find(key => names[Number(key)] === name)
      throw new Error(
        `${source}: label2id gives ${describeValue(name)} the index ${describeValue(id)}, but id2label gives it ${index}; expected the same in both.`,
      )
    }
}
