import type { EventTable, StoredOf } from '../../kernel/decider.js';
import { commune, district, groupId, massOrganisation } from '../vocabulary.js';

/* Storage format: change with care. */

export const groupFields = {
  group: groupId(),
  district: district(),
  commune: commune(),
  massOrganisation: massOrganisation(),
};

export const groupEvents = {
  GroupRegistered: { version: 1, summary: 'A savings-and-credit group (tổ TK&VV).', fields: groupFields },
} as const satisfies EventTable;

export type GroupStored = StoredOf<typeof groupEvents>;
