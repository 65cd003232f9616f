/** The first rows of tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { delimiterOf, formatOf, parseCsv, readTable } from '../src/dataset/tableFormat.js';

test('quoted fields have delimiters, line ends and quotes', () => {
  const text = 'a,b\r\n"x, y","say ""no""\nor yes"\r\n,\r\n';
  assert.deepEqual(parseCsv(text), [['a', 'b'], ['x, y', 'say "no"\nor yes'], ['', '']]);
});

test('quote within a field is a character, and a mark of the byte order is none', () => {
  assert.deepEqual(parseCsv('\ufeffheight\n5\' 3"\n'), [['height'], ['5\' 3"']]);
  assert.deepEqual(parseCsv('""\n'), []);
  assert.deepEqual(parseCsv('a\n""'), [['a']]);
});

test('last record may lack its line end; one that may be cut is left out', () => {
  assert.deepEqual(parseCsv('a,b\n1,2'), [['a', 'b'], ['1', '2']]);
  assert.deepEqual(parseCsv('a,b\n1,2', ',', false), [['a', 'b']]);
  assert.deepEqual(parseCsv('a,b\n1,"2\n3', ',', false), [['a', 'b']]);
  assert.deepEqual(parseCsv('a,b\n1,', ','), [['a', 'b'], ['1', '']]);
  assert.deepEqual(parseCsv(''), []);
});

test('delimiter is the one that the first line has most, outside of quotes', () => {
  assert.equal(delimiterOf('a;b;c\n1,2,3,4'), ';');
  assert.equal(delimiterOf('"a;b;c;d",e'), ',');
  assert.equal(delimiterOf('a\tb'), '\t');
  assert.equal(delimiterOf('a'), ',');
});

test('table of documents has a column for each field', () => {
  const text = '{"a":1,"b":"x"}\n\n{"b":"y","c":{"d":[1]}}\nbroken\n{"a":';
  assert.deepEqual(readTable(text, 'ndjson', false), {
    columns: ['a', 'b', 'c', 'not JSON'],
    rows: [['1', 'x', '', ''], ['', 'y', '{"d":[1]}', ''], ['', '', '', 'broken']],
  });
});

test('format follows from the name or the content type', () => {
  assert.equal(formatOf('/a.CSV'), 'csv');
  assert.equal(formatOf('/a.jsonl'), 'ndjson');
  assert.equal(formatOf('/a', 'text/csv; charset=utf-8'), 'csv');
  assert.equal(formatOf('/a', 'application/x-ndjson'), 'ndjson');
  assert.equal(formatOf('/a.tsv'), 'tsv');
  assert.equal(formatOf('/a.pdf', 'application/pdf'), undefined);
});
