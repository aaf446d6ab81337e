/**
 * What anybody would write first: `node naive-merge.mjs OUTPUT RESULT…` adds up results line by line. One row is the sum of all
 * rows of one key, path and length; the lines come out sorted, as those of `merge-results` do.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [output, ...results] = process.argv.slice(2);
const keys = new Map();
for (const result of results) {
  for await (const line of createInterface({ input: createReadStream(result) })) {
    const tab = line.indexOf('\t');
    const key = line.slice(0, tab);
    if (!keys.has(key)) keys.set(key, new Map());
    const rows = keys.get(key);
    for (const [path, found] of Object.entries(JSON.parse(line.slice(tab + 1)))) {
      for (const row of Array.isArray(found) ? found : [found]) {
        const place = `${path}\n${row.values.length}`;
        const sum = rows.get(place);
        if (sum === undefined) rows.set(place, row);
        else add(sum, row);
      }
    }
  }
}
await pipeline(Readable.from(lines()), createWriteStream(output));

function add(sum, { values, buildId, revision }) {
  const firstStatistic = values.length - 6;
  for (let index = 0; index < values.length; index += 1) {
    const isMissing = index >= firstStatistic && index < values.length - 1;
    if (isMissing && values[index] === -1) continue;
    if (isMissing && sum.values[index] === -1) sum.values[index] = values[index];
    else sum.values[index] += values[index];
  }
  if (buildId > sum.buildId || (buildId === sum.buildId && revision > sum.revision))
    Object.assign(sum, { buildId, revision });
}

function* lines() {
  for (const key of [...keys.keys()].sort()) {
    const byPath = Map.groupBy([...keys.get(key)], ([place]) => place.slice(0, place.indexOf('\n')));
    const members = [...byPath.keys()].sort().map((path) => {
      const rows = byPath.get(path).map(([, row]) => row);
      rows.sort((a, b) => a.values.length - b.values.length);
      return `${JSON.stringify(path)}:${JSON.stringify(rows.length === 1 ? rows[0] : rows)}`;
    });
    yield `${key}\t{${members.join(',')}}\n`;
  }
}
