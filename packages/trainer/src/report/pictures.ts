/** Images that the model was surest of, wrongly and rightly; beside the mistakes, where it looked. */
import { percent } from '@vitral/core/text'
import type { ReportedEvaluation, ReportedImage } from './evaluation-file.ts'
import { escapeHtml } from './html.ts'

const attentionNote =
  '<p>Beside each image, where the model looked: the brighter a place, the more of it reached the answer (attention rollout).</p>\n'

export function pictures({ mistakes, hits, evaluation }: ReportedEvaluation): string {
  const name = (label: number): string => escapeHtml(evaluation.perClass[label]?.label ?? String(label))
  const figure = ({ picture, attention, name: file, ...image }: ReportedImage): string => {
    const { label, taken, confidence, index, width, height } = image
    const which = index === undefined ? '' : ` title="image ${index} of the data set, ${width}×${height}"`
    const told =
      label === taken
        ? `${name(label)}, ${percent(confidence, 1)}`
        : `${name(label)}, taken for ${name(taken)}, ${percent(confidence, 1)}`
    const img = (source: string, alt: string) => `<img src="${escapeHtml(source)}" alt="${alt}" width="96" height="96">`
    const looked = attention === undefined ? '' : img(attention, 'where the model looked')
    const named = file === undefined ? '' : `<br><code>${escapeHtml(file)}</code>`
    return `<figure${which}${looked && ' class="pair"'}>${img(picture, told)}${looked}<figcaption>${told}${named}</figcaption></figure>`
  }
  const group = (title: string, images: readonly ReportedImage[]): string =>
    images.length > 0
      ? `<h3>${title}</h3>\n${images.some(({ attention }) => attention) ? attentionNote : ''}<div class="pictures">\n${images.map(figure).join('\n')}\n</div>`
      : ''
  return [group('Mistakes it was surest of', mistakes), group('Hits it was surest of', hits)].filter(Boolean).join('\n')
}
