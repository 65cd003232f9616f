/**
 * CRC-64/NVME, the default checksum of S3, as the user guide of S3 ("Checking object integrity")
 * and the CRC catalogue define it: reflected, polynomial 0xad93d23594c93659, initial value and
 * final XOR all ones. The checksum of "123456789" is 0xae8b14860a799888.
 *
 * A 64-bit value is kept as two 32-bit halves, because BigInt is far slower. Eight bytes are
 * processed at a time ("slice-by-8"): table `k` has the effect of a byte that is followed by `k`
 * zero bytes.
 */
import type { Checksum } from './schema-types.js';

/** The polynomial with its bits reversed, as halves. */
const POLYNOMIAL_HIGH = 0x9a6c9329;
const POLYNOMIAL_LOW = 0xac4bc9b5;
const SLICES = 8;

const { high: HIGH, low: LOW } = makeTables();

function makeTables(): { high: Uint32Array; low: Uint32Array } {
  const high = new Uint32Array(SLICES * 256);
  const low = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (isOdd) {
        h ^= POLYNOMIAL_HIGH;
        l ^= POLYNOMIAL_LOW;
      }
    }
    high[byte] = h;
    low[byte] = l;
  }
  for (let index = 256; index < SLICES * 256; index++) {
    const h = high[index - 256]!;
    const l = low[index - 256]!;
    const byte = l & 0xff;
    high[index] = (h >>> 8) ^ high[byte]!;
    low[index] = ((l >>> 8) | (h << 24)) ^ low[byte]!;
  }
  return { high, low };
}

/** Computes a CRC-64/NVME over bytes that arrive in pieces. */
export class Crc64 {
  #high = 0xffffffff;
  #low = 0xffffffff;

  /** Adds bytes. */
  update(bytes: Uint8Array): this {
    let high = this.#high;
    let low = this.#low;
    const end = bytes.length;
    const sliced = end - (end % SLICES);
    let i = 0;
    for (; i < sliced; i += SLICES) {
      low ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      high ^= bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24);
      // The first byte is followed by seven others: it is looked up in the last table.
      const a = 1792 + (low & 0xff);
      const b = 1536 + ((low >>> 8) & 0xff);
      const c = 1280 + ((low >>> 16) & 0xff);
      const d = 1024 + (low >>> 24);
      const e = 768 + (high & 0xff);
      const f = 512 + ((high >>> 8) & 0xff);
      const g = 256 + ((high >>> 16) & 0xff);
      const h = high >>> 24;
      high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]! ^ HIGH[e]! ^ HIGH[f]! ^ HIGH[g]! ^ HIGH[h]!;
      low = LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]! ^ LOW[e]! ^ LOW[f]! ^ LOW[g]! ^ LOW[h]!;
    }
    for (; i < end; i++) {
      const index = (low ^ bytes[i]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!;
      high = (high >>> 8) ^ HIGH[index]!;
    }
    this.#high = high;
    this.#low = low;
    return this;
  }

  /** The checksum of the bytes so far, big-endian. More bytes can be added afterwards. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ~this.#high);
    view.setUint32(4, ~this.#low);
    return bytes;
  }

  /** The checksum of the bytes so far, as the broker and S3 write it. */
  checksum(): Checksum {
    return { algorithm: 'CRC64NVME', value: btoa(String.fromCharCode(...this.digest())) };
  }

  /** The checksum of the bytes so far as 16 hexadecimal digits. */
  hex(): string {
    return Array.from(this.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}
