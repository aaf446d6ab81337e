/**
 * What anybody would write first: `node naive-render.mjs FOLDER RESULT` turns a merged result into the files of the published
 * folders, one folder for each channel/version: rows by date, a filter tree, revisions, all gzipped.
 */
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';

const [output, result] = process.argv.slice(2);
const folders = new Map();
for await (const line of createInterface({ input: createReadStream(result) })) {
  const tab = line.indexOf('\t');
  const [channel, version, measure, byDate] = line.slice(0, tab).split('/');
  const name = `${channel}-${version}`;
  if (!folders.has(name)) folders.set(name, { tree: { _id: 0, name: 'reason' }, ids: 0, revisions: {} });
  const folder = folders.get(name);
  const dates = {};
  for (const [path, found] of Object.entries(JSON.parse(line.slice(tab + 1)))) {
    for (const row of Array.isArray(found) ? found : [found]) {
      (dates[path.slice(0, 8)] ??= []).push([...row.values, idOf(folder, path.slice(9))]);
      const known = folder.revisions[measure];
      if (known === undefined || known.buildId < row.buildId)
        folder.revisions[measure] = { revision: row.revision, buildId: row.buildId, length: row.values.length };
    }
  }
  store(name, `${measure}-${byDate}.json`, dates);
}
for (const [name, { tree, revisions }] of folders) {
  store(name, 'filter-tree.json', tree);
  store(name, 'revisions.json', revisions);
}

function idOf(folder, path) {
  let node = folder.tree;
  for (const option of path.split('/')) node = node[option] ??= { _id: (folder.ids += 1) };
  return node._id;
}

function store(folder, name, json) {
  mkdirSync(`${output}/${folder}`, { recursive: true });
  writeFileSync(`${output}/${folder}/${name}`, gzipSync(JSON.stringify(json)));
}
