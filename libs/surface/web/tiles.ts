import type { District } from '../../lending/codes.js';

/*
 * Where each of the thirty units lies, roughly, on seven columns from west to east and eight rows from north to south:
 * Ba Vì and Sơn Tây in the west, Sóc Sơn in the north, the twelve inner districts in the middle, Mỹ Đức, Ứng Hòa and
 * Phú Xuyên in the south.
 */
export const TILES = {
  '016': [5, 1],
  '271': [1, 2],
  '269': [2, 2],
  '272': [3, 2],
  '250': [4, 2],
  '017': [5, 2],
  '276': [2, 3],
  '273': [3, 3],
  '021': [4, 3],
  '003': [5, 3],
  '004': [6, 3],
  '018': [7, 3],
  '275': [2, 4],
  '274': [3, 4],
  '005': [4, 4],
  '001': [5, 4],
  '002': [6, 4],
  '019': [3, 5],
  '009': [4, 5],
  '006': [5, 5],
  '007': [6, 5],
  '277': [2, 6],
  '268': [3, 6],
  '020': [4, 6],
  '008': [5, 6],
  '278': [3, 7],
  '279': [4, 7],
  '282': [2, 8],
  '281': [3, 8],
  '280': [4, 8],
} as const satisfies Record<District, readonly [column: number, row: number]>;
