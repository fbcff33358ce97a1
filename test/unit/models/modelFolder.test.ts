import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelFolder } from '../../../extension/models/modelFolder.ts';

const rest = ['ask-codebase', 'models'] as const;

describe('modelFolder', () => {
  it.each<[NodeJS.Platform, NodeJS.ProcessEnv, string]>([
    ['linux', {}, join('/home/me', '.cache', ...rest)],
    ['linux', { XDG_CACHE_HOME: '/var/xdg' }, join('/var/xdg', ...rest)],
    ['linux', { XDG_CACHE_HOME: 'relative' }, join('/home/me', '.cache', ...rest)],
    ['linux', { XDG_CACHE_HOME: '' }, join('/home/me', '.cache', ...rest)],
    ['darwin', { XDG_CACHE_HOME: '/var/xdg' }, join('/home/me', 'Library', 'Caches', ...rest)],
    ['win32', {}, join('/home/me', 'AppData', 'Local', ...rest)],
    ['win32', { LOCALAPPDATA: '/local' }, join('/local', ...rest)],
    ['linux', { ASK_CODEBASE_CACHE: '/own', XDG_CACHE_HOME: '/var/xdg' }, join('/own', 'models')],
    ['win32', { ASK_CODEBASE_CACHE: '/own', LOCALAPPDATA: '/local' }, join('/own', 'models')],
    ['linux', { ASK_CODEBASE_CACHE: '' }, join('/home/me', '.cache', ...rest)],
  ])('on %s with %j is %s', (platform, env, expected) => {
    expect(modelFolder(env, platform, '/home/me')).toBe(expected);
  });
});
