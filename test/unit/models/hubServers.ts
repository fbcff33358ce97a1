/** Servers that play the hub, and a model folder; both are gone after each test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { startFaultyServer, type Answer, type FaultyServer } from './faultyServer.ts';

export let folder: string;
export let servers: FaultyServer[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-'));
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

/** A hub that answers so, one after the other. */
export async function start(...answers: [Answer, ...Answer[]]): Promise<FaultyServer & { origin: string }> {
  const server = await startFaultyServer(...answers);
  servers.push(server);
  return { ...server, origin: new URL(server.url).origin };
}
