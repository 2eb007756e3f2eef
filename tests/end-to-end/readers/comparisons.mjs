// SPDX-License-Identifier: MIT
// Every file that tests/end-to-end/export_sample.c and `export` write, by its reader and its
// comparison: compare(read(FILE, report), report, host). A comparison that has to
// know what the host did `needsHost`, since no report says that.
import { compareChrome, readChrome } from './compare-chrome.mjs';
import { compareHtml, readHtml } from './compare-html.mjs';
import { compareJoined, readJoined } from './compare-host.mjs';
import { compareOtlp, readOtlp } from './compare-otlp.mjs';
import { compareCsv, compareExits, compareFolded, compareNames, compareSplits, readCsv, readFolded } from './compare-text.mjs';
import { compareReport, compareTree, readLines } from './compare-tree.mjs';
import { compareSlices, FLAVOURS, readTrace } from './slices.mjs';

export const COMPARISONS = {
  names: { file: 'report.json', read() {}, compare: compareNames },
  splits: { file: 'report.json', read() {}, compare: compareSplits, needsHost: true },
  csv: { file: 'spans.csv', read: readCsv, compare: compareCsv },
  folded: { file: 'folded.txt', read: readFolded, compare: compareFolded },
  exits: { file: 'exits.txt', read: readFolded, compare: compareExits, needsHost: true },
  tree: { file: 'tree.txt', read: readLines, compare: compareTree },
  report: { file: 'report.txt', read: readLines, compare: compareReport },
  'otlp-json': { file: 'otlp.jsonl', read: readOtlp, compare: compareOtlp },
  'otlp-protobuf': { file: 'otlp.pb', read: readOtlp, compare: compareOtlp },
  html: { file: 'page.html', read: readHtml, compare: compareHtml },
  chrome: { file: 'trace.json', read: readChrome, compare: compareChrome },
  perfetto: { file: 'trace.perfetto', read: readTrace, compare: (trace, report) => compareSlices(trace, report, FLAVOURS.perfetto) },
  joined: { file: 'trace.perfetto', read: readJoined, compare: compareJoined, needsHost: true },
};
