/** Images that the model was surest of, wrongly and rightly. */
import type { ReportedEvaluation, ReportedImage } from './evaluation-file.ts'
import { escapeHtml, percent } from './html.ts'

export function pictures({ mistakes, hits, evaluation }: ReportedEvaluation): string {
  const name = (label: number): string => escapeHtml(evaluation.perClass[label]?.label ?? String(label))
  const figure = ({ picture, label, taken, confidence, index, width, height }: ReportedImage): string => {
    const which = index === undefined ? '' : ` title="image ${index} of the data set, ${width}×${height}"`
    const told =
      label === taken
        ? `${name(label)}, ${percent(confidence)}`
        : `${name(label)}, taken for ${name(taken)}, ${percent(confidence)}`
    return `<figure${which}><img src="${escapeHtml(picture)}" alt="${told}" width="96" height="96"><figcaption>${told}</figcaption></figure>`
  }
  const group = (title: string, images: readonly ReportedImage[]): string =>
    images.length > 0 ? `<h3>${title}</h3>\n<div class="pictures">\n${images.map(figure).join('\n')}\n</div>` : ''
  return [group('Mistakes it was surest of', mistakes), group('Hits it was surest of', hits)].filter(Boolean).join('\n')
}
