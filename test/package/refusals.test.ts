/** What must not get into a VSIX stops its making. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockedPackage, unpack } from '../../scripts/lockedPackage.ts';
import { noticesFile, packageNotice, refuseCopyleftGrammars } from '../../scripts/notices.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const lockFile = join(repository, 'package-lock.json');
const folder = temporaryFolder();
/** A small package of the lock file. */
const small = 'punycode.js';

beforeEach(() => vi.stubEnv('ASK_CODEBASE_CACHE', folder));
afterEach(() => vi.unstubAllEnvs());

test('a package without a licence text, by its name', async () => {
  const bare = join(folder, 'bare');
  await mkdir(bare);
  await writeFile(
    join(bare, 'package.json'),
    JSON.stringify({ name: 'bare-package', version: '1.2.3', license: 'MIT' }),
  );
  const nodeModules = join(repository, 'node_modules');
  await expect(packageNotice(bare, nodeModules)).rejects.toThrow(
    /bare-package@1\.2\.3 \(MIT\) has no licence text/,
  );
  await writeFile(join(bare, 'LICENSE.md'), 'As you like.\r\n');
  await expect(packageNotice(bare, nodeModules)).resolves.toMatchObject({ text: 'As you like.' });
});

test('a grammar under the GPL, by its name', () => {
  const langs = 'node_modules/@shikijs/langs/dist';
  expect(() => refuseCopyleftGrammars([`${langs}/typescript.mjs`, `${langs}/nginx.mjs`])).toThrow(
    /grammar nginx of shiki is under the GPL/,
  );
  expect(() => refuseCopyleftGrammars([`${langs}/typescript.mjs`])).not.toThrow();
});

test('a package that the lock file has not, or has under another name', async () => {
  await expect(lockedPackage('left-pad', lockFile)).rejects.toThrow(/left-pad is not in/);
  await expect(lockedPackage('@node-llama-cpp/linux-x64-cuda', lockFile)).rejects.toThrow(
    /linux-x64-cuda is not in/,
  );
});

test('a tarball that is not the one of the lock file, and a damaged one in the cache is fetched again', async () => {
  const locked = await lockedPackage(small, lockFile);
  const otherIntegrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
  await expect(unpack({ ...locked, integrity: otherIntegrity }, join(folder, 'other'))).rejects.toThrow(
    /package-lock\.json has sha512-AAAA/,
  );
  expect(await readdir(join(folder, 'packages'))).toEqual([]);

  await unpack(locked, join(folder, 'first'));
  const [cached] = await readdir(join(folder, 'packages'));
  await writeFile(join(folder, 'packages', cached!), 'damaged');
  await unpack(locked, join(folder, 'second'));
  const manifest = await readFile(join(folder, 'second/package.json'), 'utf8');
  expect(JSON.parse(manifest)).toMatchObject({ name: small, version: locked.version });
});

test('notices are in the order of their names, each once', () => {
  const notice = (name: string) => ({ name, version: '1.0.0', license: 'MIT', text: `Text of ${name}.` });
  const text = noticesFile(['b', 'a', 'b'].map(notice));
  expect(text).toBe(noticesFile(['a', 'b', 'b'].map(notice)));
  expect(text.match(/^Text of .*$/gm)).toEqual(['Text of a.', 'Text of b.']);
});
