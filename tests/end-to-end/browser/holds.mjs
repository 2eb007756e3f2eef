// SPDX-License-Identifier: MIT
// TAP of what is looked at in a browser.
let tests = 0;
let failed = 0;

export async function holds(name, check) {
  const began = performance.now();
  try {
    await check();
    console.log(`ok ${++tests} - ${name} (${(performance.now() - began).toFixed(0)} ms)`);
  } catch (error) {
    failed++;
    console.log(`not ok ${++tests} - ${name}`);
    console.log(String(error.stack).slice(0, 4000).replace(/^/gm, '# '));
  }
}

export function skipped(name, why) {
  console.log(`ok ${++tests} - ${name} # SKIP ${why}`);
}

export function finish() {
  console.log(`1..${tests}`);
  process.exit(failed ? 1 : 0);
}
