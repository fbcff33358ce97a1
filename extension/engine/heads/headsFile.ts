/** The heads that were found, on the disk: one small checked file for each model. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, messageOf } from '../../models/modelFolder.ts';
import { readStateFile, writeStateFile } from '../../stateStore/stateFile.ts';
import type { ModelHeads } from './chooseHeads.ts';

/** Raised when heads are chosen in another way, or by other functions: then they are found anew. */
const choosingVersion = 1;

const heads = z
  .array(z.object({ layer: z.int().nonnegative(), head: z.int().nonnegative() }))
  .min(1)
  .nullable();
const headerSchema = z.object({
  kind: z.literal('heads'),
  choosingVersion: z.literal(choosingVersion),
  /** Its fingerprint: a file that was put under the name of another model is none of that model. */
  model: z.string(),
  evidence: heads,
  ranking: heads,
  focus: z.number().nullable(),
});

/**
 * @param model the fingerprint of the model's file
 * @returns null when there are none, or none that are sound and of this version
 */
export async function readHeads(
  folder: string,
  model: string,
  log: (line: string) => void,
): Promise<ModelHeads | null> {
  try {
    const { header } = await readStateFile(join(folder, model));
    const parsed = headerSchema.safeParse(header);
    if (!parsed.success || parsed.data.model !== model) return null;
    const { evidence, ranking, focus } = parsed.data;
    return { evidence, ranking, focus };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') log(`heads: what was kept of them is not used: ${messageOf(error)}`);
    return null;
  }
}

/** Where it cannot be written, that is logged, and the heads are found again another time. */
export async function writeHeads(
  folder: string,
  model: string,
  { evidence, ranking, focus }: ModelHeads,
  log: (line: string) => void,
): Promise<void> {
  const header: z.infer<typeof headerSchema> = {
    ...{ kind: 'heads', choosingVersion, model },
    ...{ evidence: evidence && [...evidence], ranking: ranking && [...ranking], focus },
  };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeStateFile(join(folder, model), header, [], new AbortController().signal);
  } catch (error) {
    log(`heads: they cannot be kept: ${messageOf(error)}`);
  }
}
