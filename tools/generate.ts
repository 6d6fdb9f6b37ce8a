import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isVersioned, REFERENCE, reference } from './reference.js';

/*
 * `npm run generate`: writes docs/reference from the catalogue. The schema of an event that is published is never
 * overwritten: a change of what is stored is a next version, with a way from the last one.
 */

const files = reference(process.cwd());

const changed = [...files].filter(
  ([path, text]) => isVersioned(path) && existsSync(path) && readFileSync(path, 'utf8') !== text,
);
if (changed.length > 0) {
  for (const [path] of changed) console.error(`${path} is published, and what is stored has changed.`);
  console.error(
    'Raise the version of the event and add its upcaster. Only if no release has it: delete the file first.',
  );
  process.exit(1);
}

for (const path of existing(REFERENCE)) if (!files.has(path) && !isVersioned(path)) rmSync(path);
let written = 0;
for (const [path, text] of files) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  written++;
}
console.log(`${REFERENCE}: ${files.size} files, ${written} of them changed`);

function existing(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? existing(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );
}
