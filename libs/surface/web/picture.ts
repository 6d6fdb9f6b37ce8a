import { html, type Markup, type Part } from './html.js';

/*
 * Pictures that are as wide as their place: what is written keeps its size, as positions along x are per cent of the
 * width. Paths cannot have those: they stand in a picture within, of WIDE units, that is stretched.
 */

const WIDE = 1_000;

export interface Frame {
  readonly height: number;
  /** Shares of the width, and pixels of the height, that are left free around what is drawn. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Scales {
  /** Of a share of what is drawn, from 0 at the left to 1 at the right. */
  across(share: number): number;
  /** Pixels from the top. */
  down(value: number): number;
}

export function scalesOf(frame: Frame, [low, high]: readonly [number, number]): Scales {
  const { height, left, right, top, bottom } = frame;
  const span = high === low ? 1 : high - low;
  return {
    across: (share) => left + share * (1 - left - right),
    down: (value) => round(top + (1 - (value - low) / span) * (height - top - bottom)),
  };
}

/** A share of the width as SVG has it. */
export const percentOf = (share: number): string => `${round(share * 100)}%`;

const round = (value: number): number => Math.round(value * 100) / 100;

export type Point = readonly [share: number, down: number];

const at = ([share, down]: Point): string => `${round(share * WIDE)} ${round(down)}`;

export const pathOf = (points: readonly Point[]): string =>
  points.map((point, index) => `${index === 0 ? 'M' : 'L'}${at(point)}`).join('');

/** Level from each point to the next, then up or down. */
export function stepsOf(points: readonly Point[]): readonly Point[] {
  return points.flatMap(([share, down], index) => {
    const before = points[index - 1];
    return before === undefined ? [[share, down] as const] : [[share, before[1]] as const, [share, down] as const];
  });
}

export function stretched(height: number, content: Part): Markup {
  return html`<svg width="100%" height="${height}" viewBox="0 0 ${WIDE} ${height}" preserveAspectRatio="none">${content}</svg>`;
}

/** A picture has a name and says in words what it shows; its figures stand in a table beside it. */
export function picture(
  {
    id,
    name,
    says,
    height,
  }: { readonly id: string; readonly name: string; readonly says: string; readonly height: number },
  content: Part,
): Markup {
  return html`<svg class="picture" role="img" aria-labelledby="${id}-name ${id}-says" width="100%" height="${height}"><title id="${id}-name">${name}</title><desc id="${id}-says">${says}</desc>${content}</svg>`;
}

/** A small mark at a share of the width, which is not stretched with it. */
export function mark(share: number, down: number, shape: Part): Markup {
  return html`<svg x="${percentOf(share)}" y="${down}" overflow="visible">${shape}</svg>`;
}

/** What can be pointed at: a strip of the picture, and what it says. */
export interface Strip {
  readonly from: number;
  readonly to: number;
  readonly says: string;
  /** Pixels, where it is not as high as the picture. */
  readonly top?: number;
  readonly height?: number;
}

/**
 * A picture that is read by pointing at it, or by the arrow keys while it has the focus. The strips cover what is drawn;
 * what one says is written below by the browser's module.
 */
export function readable(id: string, hint: string, drawn: Markup, strips: readonly Strip[], height: number): Markup {
  const areas = strips.map(
    ({ from, to, says, top = 0, height: own = height }) =>
      html`<rect class="strip" x="${percentOf(from)}" width="${percentOf(Math.max(to - from, 0))}" y="${top}" height="${own}" data-says="${says}"></rect>`,
  );
  return html`<div class="readable" id="${id}-readable" tabindex="0" role="group" aria-label="${hint}">${drawn}<svg class="strips" aria-hidden="true" width="100%" height="${height}">${areas}</svg></div><p class="said" role="status" data-of="${id}-readable"></p>`;
}
