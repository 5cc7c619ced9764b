/** Small helpers of pages that are written as text. */

/** Text as HTML: names of classes come from whoever made the data. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

/** A table whose first column and row are headings; cells are HTML. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  attributes: string = '',
): string {
  const head = header.map(cell => `<th scope="col">${cell}</th>`).join('')
  const body = rows.map(([first = '', ...rest]) => {
    return `<tr><th scope="row">${first}</th>${rest.map(cell => `<td>${cell}</td>`).join('')}</tr>`
  })
  return `<div class="scroll"><table ${attributes}><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`
}

/** A part of the page with a heading; nothing when there is nothing in it. */
export const section = (title: string, body: string): string =>
  body.trim() ? `<section>\n<h2>${escapeHtml(title)}</h2>\n${body}\n</section>` : ''
