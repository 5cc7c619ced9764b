/** Whether a model's problem type and the labels of a data set go together. */
import type { ProblemType } from '@vitral/core'

/**
 * The problem type of images with one class each, or of images that may have several.
 *
 * @param given of a recipe or a model; null or undefined leaves it open
 * @throws when another is given: its loss and its metrics would be nonsense
 */
export function problemTypeOfData(
  given: ProblemType | null | undefined,
  { multiLabel = false }: { multiLabel?: boolean },
): ProblemType {
  const ofData = multiLabel ? 'multi_label_classification' : 'single_label_classification'
  if (given && given !== ofData)
    throw new Error(
      `The model's problem type is '${given}', but the images of the data set ${multiLabel ? 'may have several classes' : 'have one class each'}; ${expected[given]}`,
    )
  return ofData
}

const expected: Record<ProblemType, string> = {
  single_label_classification: 'expected a data set of one class an image.',
  multi_label_classification: 'expected a list with labels, of several classes an image.',
  regression:
    'a regression needs numbers, which data sets do not have: train with trainStep on batches of your own, and compare the outputs of forward.',
}
