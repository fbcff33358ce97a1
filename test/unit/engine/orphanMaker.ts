/** A program that starts an engine, asks it something that never ends, and prints the engine's pid. */
import { startEngine } from '../../../extension/engineClient/engineClient.ts';
import { questionOf } from './faultyHandlers.ts';

const [enginePath] = process.argv.slice(2);
if (enginePath === undefined) throw new Error('usage: orphanMaker ENGINE');
const client = await startEngine({ command: process.execPath, args: [enginePath] });
process.stdout.write(`${client.pid}\n`);
await client.request('ask', questionOf('wait'));
