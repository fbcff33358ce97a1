/** A program that puts two engines to use in every way that starts a timer, and then has nothing left to do. */
import { setTimeout as delay } from 'node:timers/promises';
import { startEngine } from '../../../extension/engineClient/engineClient.ts';
import { questionOf } from './faultyHandlers.ts';

const [enginePath] = process.argv.slice(2);
if (enginePath === undefined) throw new Error('usage: leavesNothing ENGINE');
const command = { command: process.execPath, args: [enginePath] };

const disposed = await startEngine(command);
await disposed.request('ask', questionOf('wait'), AbortSignal.timeout(100)).catch(() => undefined);
await disposed.request('ask', questionOf('say yes'), new AbortController().signal);
await disposed.dispose();

const killed = await startEngine(command);
const waiting = killed.request('ask', questionOf('wait')).catch(() => undefined);
await delay(100);
process.kill(killed.pid, 'SIGKILL');
await Promise.all([waiting, killed.exited]);
console.log('done');
