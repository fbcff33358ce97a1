import { describe, expect, it } from 'vitest';
import { freeMemoryBytes, vmStatFreeBytes } from '../../../extension/models/freeMemory.ts';
import { folderWith } from './folderWith.ts';

const MIB = 2 ** 20;

describe('freeMemoryBytes', () => {
  const meminfo = `MemTotal:       8388608 kB\nMemFree:        1048576 kB\nMemAvailable:   4194304 kB\n`;
  const available = 4096 * MIB;

  it.each([
    { name: 'no control groups', files: {}, free: available },
    {
      name: 'no limit',
      files: {
        'proc/self/cgroup': '0::/a\n',
        'sys/fs/cgroup/a/memory.max': 'max\n',
        'sys/fs/cgroup/a/memory.current': `${MIB}\n`,
      },
      free: available,
    },
    {
      name: 'a limit in a group above, with files that were only read',
      files: {
        'proc/self/cgroup': '0::/box/inner\n',
        'sys/fs/cgroup/box/memory.max': `${1000 * MIB}\n`,
        'sys/fs/cgroup/box/memory.current': `${700 * MIB}\n`,
        'sys/fs/cgroup/box/memory.stat': `anon 1\ninactive_file ${200 * MIB}\nactive_file 5\n`,
        'sys/fs/cgroup/box/inner/memory.max': 'max\n',
        'sys/fs/cgroup/box/inner/memory.current': '1\n',
      },
      free: 500 * MIB,
    },
    {
      name: 'a limit seen from inside a container',
      files: {
        'proc/self/cgroup': '0::/\n',
        'sys/fs/cgroup/memory.max': `${512 * MIB}\n`,
        'sys/fs/cgroup/memory.current': `${500 * MIB}\n`,
      },
      free: 12 * MIB,
    },
    {
      name: 'a limit of version 1',
      files: {
        'proc/self/cgroup': '5:cpu,cpuacct:/x\n4:memory:/box\n0::/\n',
        'sys/fs/cgroup/memory/box/memory.limit_in_bytes': `${800 * MIB}\n`,
        'sys/fs/cgroup/memory/box/memory.usage_in_bytes': `${300 * MIB}\n`,
        'sys/fs/cgroup/memory/box/memory.stat': `cache 9\ntotal_inactive_file ${100 * MIB}\n`,
      },
      free: 600 * MIB,
    },
    {
      name: 'a limit that is exceeded',
      files: {
        'proc/self/cgroup': '0::/\n',
        'sys/fs/cgroup/memory.max': `${MIB}\n`,
        'sys/fs/cgroup/memory.current': `${2 * MIB}\n`,
      },
      free: 0,
    },
    {
      name: 'a limit above what the machine has',
      files: {
        'proc/self/cgroup': '0::/\n',
        'sys/fs/cgroup/memory.max': `${99_999 * MIB}\n`,
        'sys/fs/cgroup/memory.current': '0\n',
      },
      free: available,
    },
  ])('with $name', ({ files, free }) => {
    expect(freeMemoryBytes('linux', folderWith({ 'proc/meminfo': meminfo, ...files }))).toBe(free);
  });

  it('of this machine is a number that can be', () => {
    const free = freeMemoryBytes();
    expect(free).toBeGreaterThan(0);
    expect(Number.isFinite(free)).toBe(true);
  });

  it('on macOS counts what the system would give up', () => {
    const report = [
      'Mach Virtual Memory Statistics: (page size of 16384 bytes)',
      'Pages free:                               10.',
      'Pages active:                         300000.',
      'Pages inactive:                          100.',
      'Pages speculative:                      1000.',
      'Pages wired down:                     200000.',
      'Pages purgeable:                       10000.',
      '"Translation faults":              123456789.',
    ].join('\n');
    expect(vmStatFreeBytes(report)).toBe(11_110 * 16_384);
  });
});
