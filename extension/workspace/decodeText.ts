import { isUtf8 } from 'node:buffer';

/**
 * Text of a file's bytes: UTF-16 when a byte order mark says so, else UTF-8, and windows-1252 for what is not valid
 * UTF-8, since that gives every byte some character. Line ends become LF and the byte order mark goes.
 */
export function decodeText(bytes: Buffer): string {
  return decode(bytes)
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n');
}

function decode(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return decodeWindows1252(bytes);
}

/** Written out, since Node 20's own decoder gives control characters for 0x80 to 0x9f. */
function decodeWindows1252(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (byte) => windows1252[byte.charCodeAt(0) - 0x80]!);
}

/** Characters of the bytes 0x80 to 0x9f; the five bytes that have none stay control characters. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
