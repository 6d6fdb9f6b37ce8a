import { html, type Markup, type Part } from './html.js';

export interface Column {
  readonly name: Part;
  readonly kind: 'text' | 'number';
}

export interface Line {
  /** The first is the line's heading. */
  readonly cells: readonly Part[];
  readonly id?: string;
}

export interface TableOf {
  readonly caption: Part;
  readonly columns: readonly Column[];
  readonly lines: readonly Line[];
  readonly total?: Line;
  /** As many lines as there happen to be: it scrolls down too. */
  readonly long?: true;
}

/** A table that scrolls within its place, so that the page does not. */
export function table(id: string, { caption, columns, lines, total, long }: TableOf): Markup {
  const kindOf = (index: number) => columns[index]?.kind ?? 'text';
  const row = ({ cells, id: own }: Line) =>
    html`<tr${own === undefined ? '' : html` id="${own}"`}>${cells.map((cell, index) =>
      index === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="${kindOf(index)}">${cell}</td>`,
    )}</tr>
`;
  return html`<div class="scroll${long === undefined ? '' : ' long'}" id="${id}-scroll" tabindex="0" role="region" aria-labelledby="${id}-caption"><table id="${id}">
<caption id="${id}-caption">${caption}</caption>
<thead><tr>${columns.map(({ name, kind }) => html`<th scope="col" class="${kind}">${name}</th>`)}</tr></thead>
<tbody>${lines.map(row)}</tbody>
${total === undefined ? '' : html`<tfoot>${row(total)}</tfoot>`}
</table></div>`;
}

/** A table that is there for who wants it. */
export function folded(id: string, summary: string, content: Markup): Markup {
  return html`<details id="${id}-details"><summary>${summary}</summary>${content}</details>`;
}
