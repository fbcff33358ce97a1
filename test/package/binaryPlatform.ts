/** Which operating system and processor a library is made for, as its first bytes say. */

/** As the targets of VSIX files are called: `linux-x64`. Undefined for what is no program or library. */
export function binaryPlatform(bytes: Buffer): string | undefined {
  const magic = bytes.length < 64 ? 0 : bytes.readUInt32BE(0);
  if (magic === elfMagic) return named('linux', elfMachines, bytes.readUInt16LE(18));
  if (magic === machMagic) return named('darwin', machTypes, bytes.readUInt32LE(4));
  if (magic >>> 16 === dosMagic) {
    const header = bytes.readUInt32LE(60);
    return named('win32', peMachines, bytes.readUInt16LE(header + 4));
  }
  return undefined;
}

const elfMagic = 0x7f454c46;
/** 64-bit, little-endian. */
const machMagic = 0xcffaedfe;
const dosMagic = 0x4d5a;
const elfMachines = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);
const machTypes = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);
const peMachines = new Map([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);

function named(system: string, machines: ReadonlyMap<number, string>, machine: number): string {
  return `${system}-${machines.get(machine) ?? `machine ${machine}`}`;
}
