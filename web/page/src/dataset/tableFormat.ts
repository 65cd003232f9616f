/**
 * The first rows of tables in text files.
 */

/** How the rows are written. */
export type TableFormat = 'csv' | 'tsv' | 'ndjson';

/** The first rows of a table. */
export interface TableHead {
  columns: string[];
  rows: string[][];
}

/** The format of a file, by its name or its content type; undefined if it is no table. */
export function formatOf(path: string, contentType = ''): TableFormat | undefined {
  if (/\.(ndjson|jsonl)$/i.test(path) || /^application\/(x-)?ndjson/.test(contentType)) {
    return 'ndjson';
  }
  if (/\.tsv$/i.test(path) || contentType.startsWith('text/tab-separated-values')) {
    return 'tsv';
  }
  return /\.csv$/i.test(path) || contentType.startsWith('text/csv') ? 'csv' : undefined;
}

/** Reads the beginning of a table. `isWhole`: the text is the whole file. */
export function readTable(text: string, format: TableFormat, isWhole: boolean): TableHead {
  if (format === 'ndjson') {
    return readNdjson(text, isWhole);
  }
  const delimiter = format === 'tsv' ? '\t' : delimiterOf(text);
  const [columns = [], ...rows] = parseCsv(text, delimiter, isWhole);
  return { columns, rows };
}

/**
 * The records of CSV text (RFC 4180): fields may be quoted, and then contain delimiters, line ends
 * and doubled quotes. The last record of a text that is not whole is left out, as it may be cut.
 */
export function parseCsv(text: string, delimiter = ',', isWhole = true): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let isQuoted = false;
  let isStarted = false;
  let index = text.startsWith('\ufeff') ? 1 : 0;
  const endField = () => {
    record.push(field);
    field = '';
    isStarted = false;
  };
  const endRecord = () => {
    endField();
    // An empty line is no record.
    if (record.length > 1 || record[0] !== '') {
      records.push(record);
    }
    record = [];
  };
  for (; index < text.length; index++) {
    const character = text[index];
    if (isQuoted) {
      if (character !== '"') {
        field += character;
      } else if (text[index + 1] === '"') {
        field += '"';
        index++;
      } else {
        isQuoted = false;
      }
    } else if (character === '"' && !isStarted) {
      isQuoted = true;
      isStarted = true;
    } else if (character === delimiter) {
      endField();
    } else if (character === '\n' || character === '\r') {
      if (character === '\r' && text[index + 1] === '\n') {
        index++;
      }
      endRecord();
    } else {
      field += character;
      isStarted = true;
    }
  }
  if (isWhole && (isStarted || field || record.length > 0)) {
    endRecord();
  }
  return records;
}

/** The character that separates the fields of the first line. */
export function delimiterOf(text: string): string {
  const line = /^[^\r\n]*/.exec(text.replaceAll(/"[^"]*"/g, ''))?.[0] ?? '';
  const counts = [',', ';', '\t', '|'].map((one) => [line.split(one).length, one] as const);
  return counts.reduce((best, next) => (next[0] > best[0] ? next : best))[1];
}

function readNdjson(text: string, isWhole: boolean): TableHead {
  const lines = text.split('\n');
  if (!isWhole) {
    lines.pop();
  }
  const documents = lines.filter((line) => line.trim()).map(parseDocument);
  const columns = [...new Set(documents.flatMap((document) => Object.keys(document)))];
  const rows = documents.map((document) => columns.map((column) => textOf(document[column])));
  return { columns, rows };
}

function parseDocument(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : { value };
  } catch {
    return { 'not JSON': line };
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}
