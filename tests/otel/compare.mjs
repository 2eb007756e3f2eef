// SPDX-License-Identifier: MIT
// compare.mjs DIRECTORY: what was received, otlp.pb, is what report.json says.
import fs from 'node:fs';
import { parseJson, tracesOf } from '../end-to-end/readers/compare.mjs';
import { compareOtlp, readReceived } from '../end-to-end/readers/compare-otlp.mjs';

const [dir] = process.argv.slice(2);
const report = tracesOf(parseJson(fs.readFileSync(`${dir}/report.json`, 'utf8')));
console.log(compareOtlp(readReceived(`${dir}/otlp.pb`), report));
