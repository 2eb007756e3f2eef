// SPDX-License-Identifier: MIT
// compare-perfetto.mjs TRACE REPORT.json: what Perfetto's trace processor reads
// in a native trace is what the report says.
import { run } from './compare.mjs';
import { compareSlices, FLAVOURS } from './slices.mjs';

await run('compare-perfetto.mjs TRACE REPORT.json', (trace, report) =>
  compareSlices(trace, report, FLAVOURS.perfetto));
