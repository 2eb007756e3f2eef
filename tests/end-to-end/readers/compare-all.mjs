// SPDX-License-Identifier: MIT
// compare-all.mjs FORMAT,...|all DIRECTORY...: what independent readers see in the
// exports of each directory is what its report.json says. All in one process: a
// trace processor takes a second to start.
import fs from 'node:fs';
import path from 'node:path';
import { COMPARISONS } from './comparisons.mjs';
import { parseJson, tracesOf } from './compare.mjs';

const read = (dir, name) => fs.readFileSync(path.join(dir, name), 'utf8');

/** What the exporters were told of the host, where a directory has it. */
function readHost(dir) {
  if (!fs.existsSync(path.join(dir, 'host.jsonl'))) return undefined;
  return read(dir, 'host.jsonl').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

async function compareOne(dir, name, report, host) {
  const { file, read, compare, needsHost } = COMPARISONS[name];
  const begin = process.cpuUsage();
  if (needsHost && !host) return;
  const line = await compare(await read(path.join(dir, file), report), report, host);
  const { user, system } = process.cpuUsage(begin);
  console.log(`${dir}: ${name}: ${line} (${((user + system) / 1e6).toFixed(1)} s)`);
}

const [formats, ...dirs] = process.argv.slice(2);
if (!dirs.length) {
  console.error('usage: compare-all.mjs FORMAT,...|all DIRECTORY...');
  process.exit(2);
}
for (const dir of dirs) {
  const report = tracesOf(parseJson(read(dir, 'report.json'))), host = readHost(dir);
  for (const name of formats === 'all' ? Object.keys(COMPARISONS) : formats.split(','))
    try {
      await compareOne(dir, name, report, host);
    } catch (error) {
      console.log(`${dir}: ${name}: ${String(error?.message ?? error).split('\n')[0].slice(0, 400)}`);
      process.exit(1);
    }
}
process.exit(0); // trace processors keep the program alive
