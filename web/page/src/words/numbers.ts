/**
 * Sizes, rates and times as people read them.
 */

const UNITS = ['KB', 'MB', 'GB', 'TB', 'PB'];

/** A number of bytes, such as `1.5 MB`: in units of 1,000 as file managers show it. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) {
    return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  }
  let value = bytes;
  let unit = -1;
  // 999.95 would be shown as 1000.0.
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

/** A number of bytes with all its digits, such as `1.5 MB (1,500,123 bytes)`. */
export function formatExactBytes(bytes: number): string {
  const rounded = formatBytes(bytes);
  return bytes < 1000 ? rounded : `${rounded} (${bytes.toLocaleString()} bytes)`;
}

/** A rate in bytes a second, such as `3.0 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** A time left, such as `2 min 5 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A point in time in the language and zone of the user. */
export function formatTime(time: string): string {
  return TIME.format(new Date(time));
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? '' : 's'}`;
}
