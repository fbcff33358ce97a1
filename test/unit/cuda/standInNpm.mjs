#!/usr/bin/env node
// An npm that misbehaves as STAND_IN says: it takes tarballs from STAND_IN_TARBALLS, and starts no network.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [command, spec = ''] = process.argv.slice(2);
const mode = process.env.STAND_IN;
if (command === '--version') {
  console.log('11.0.0');
  process.exit(0);
}
const name = `${basename(spec).replace('@', '-')}.tgz`;
const tarball = join(process.env.STAND_IN_TARBALLS, name);
switch (mode) {
  case 'fails':
    console.error('npm error code E404\nnpm error 404 Not Found');
    process.exit(1);
    break;
  case 'bringsNothing':
    break;
  case 'truncates':
    writeFileSync(name, readFileSync(tarball).subarray(0, 100));
    break;
  case 'bringsAnother':
    writeFileSync(name, 'something else');
    break;
  case 'hangs':
    mkdirSync(join(process.env.npm_config_cache, 'tmp'), { recursive: true });
    copyFileSync(tarball, join(process.env.npm_config_cache, 'tmp/begun'));
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    setInterval(() => {}, 1_000);
    break;
  default:
    copyFileSync(tarball, name);
}
