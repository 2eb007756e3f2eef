// SPDX-License-Identifier: MIT
//
// bundle.mjs SOURCE-DIR PACKAGES-DIR HTML-FILE C-FILE
//
// Makes the page of its parts, as C-FILE with what stands before and behind the
// data, and as HTML-FILE with no data, for a look. Nothing in the page is
// allowed but the one script and the one style whose hashes its policy names.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [source, packages, htmlFile, cFile] = process.argv.slice(2);
const scripts = ['text.js', 'model.js', 'lanes.js', 'marks.js', 'adapter.js', 'detail.js', 'counters.js',
  'tables.js', 'colours.js', 'overview.js', 'search.js', 'walk.js', 'page.js'];
// With the line ends that a browser's parser makes, which are what it hashes.
const read = (...path) => readFileSync(join(...path), 'utf8').replace(/\r\n?/g, '\n');

// The chart is one file that has its own dependencies in it.
function licences() {
  const modules = join(packages, 'node_modules');
  const names = readdirSync(modules).filter((name) => !name.startsWith('.')).sort();
  return names.map((name) => {
    const { version } = JSON.parse(read(modules, name, 'package.json'));
    const text = read(modules, name, 'LICENSE').trim();
    return `${name} ${version}\n\n${text}\n`;
  }).join('\n');
}

function comment(text) {
  return `/*!\n${text.replaceAll('*/', '* /')}\n*/\n`;
}

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const chart = read(packages, 'node_modules/flame-chart-js/dist/index.min.js');
const own = scripts.map((name) => read(source, name)).join('\n');
const script = `${comment(`This page contains:\n\n${licences()}`)}${chart}\n`
  + `(function () {\n'use strict';\n${own}\n}());\n`;
const style = read(source, 'page.css');
for (const [what, text, end] of [['script', script, '</script'], ['style', style, '</style']])
  if (text.toLowerCase().includes(end) || text.includes('<!--'))
    throw new Error(`the ${what} would end itself`);

const policy = ["default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`,
  "base-uri 'none'", "form-action 'none'"].join('; ');
const page = read(source, 'page.html')
  .replace('{{policy}}', () => policy)
  .replace('{{style}}', () => style)
  .replace('{{script}}', () => script);
const [before, behind] = page.split('{{data}}');

function array(name, text) {
  const bytes = Buffer.from(text);
  const lines = [];
  for (let at = 0; at < bytes.length; at += 24)
    lines.push([...bytes.subarray(at, at + 24)].join(','));
  return `extern const unsigned char ${name}[];\nextern const size_t ${name}_bytes;\n`
    + `const unsigned char ${name}[] = {\n${lines.join(',\n')}};\n`
    + `const size_t ${name}_bytes = sizeof ${name};\n`;
}

writeFileSync(htmlFile, `${before}{"traces":[]}${behind}`);
writeFileSync(cFile, `#include <stddef.h>\n${array('gt__html_before', before)}`
  + array('gt__html_behind', behind));
