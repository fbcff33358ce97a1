/** What the doors of the terminal have in common: what is asked of a set of folders, and with which parts. */
import { basename, join, resolve } from 'node:path';
import type { AskParts, AskRequest } from '../ask.ts';
import { readGrammarFile } from '../grammarFiles.ts';
import { resolveModel } from '../models/findModel.ts';
import type { HubAccess } from '../models/huggingFace.ts';
import { cacheFolder } from '../models/modelFolder.ts';
import { defaultStateCapBytes, type StateFolder } from '../protocol/engine.ts';
import { createGrammars } from '../retrieval/syntax.ts';
import { textHash } from '../textHash.ts';
import { findFiles, type WorkspaceFolder } from '../workspace/findFiles.ts';
import { readSourceDocuments } from '../workspace/readSourceDocument.ts';
import type { AskArguments } from './arguments.ts';
import { useProxyOfEnvironment } from './proxy.ts';

/** Greedy. The same question over the same files then has the same answer, but for how batches round. */
const sampling = { temperature: 0, seed: 0 } as const;

/** Each question is a conversation of its own. */
const alone = { pins: [], history: [], answerSoFar: '' } as const;

/** Paths of folders are meant from the current folder. */
export function askRequest(options: Omit<AskArguments, 'json'>): AskRequest {
  const folders = foldersOf(options.workspaces);
  const states = options.reuse === 'never' ? {} : { states: stateFolderOf(folders) };
  return { ...options, ...sampling, ...alone, folders, ...states };
}

export function askParts(engine: AskParts['engine']): AskParts {
  return {
    findFiles,
    readDocuments: readSourceDocuments,
    grammars: createGrammars(readGrammarFile),
    async resolveModel(name, options) {
      await useProxyOfEnvironment();
      return resolveModel(name, { ...options, access: hubAccess(process.env) });
    },
    engine,
  };
}

/** The variables that other tools of Hugging Face have, too. */
export function hubAccess({ HF_ENDPOINT: endpoint, HF_TOKEN: token }: NodeJS.ProcessEnv): HubAccess {
  return {
    ...(endpoint === undefined || endpoint === '' ? {} : { endpoint }),
    ...(token === undefined || token === '' ? {} : { token }),
  };
}

/** `npm run` changes to the folder of package.json; paths on the command line are meant from where it was typed. */
export function startWhereTheUserIs(ownScript: string): void {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  if (script === ownScript && folder !== undefined) process.chdir(folder);
}

/** Readings of the same folders lie together. */
export function stateFolderOf(folders: readonly WorkspaceFolder[]): StateFolder {
  const name = textHash(JSON.stringify(folders.map(({ rootPath }) => rootPath)));
  return { path: join(cacheFolder(), 'readings', name), capBytes: defaultStateCapBytes };
}

/** Each folder by its own name; where two have the same, by their whole paths. */
export function foldersOf(workspaces: readonly string[]): WorkspaceFolder[] {
  const paths = [...new Set(workspaces.map((path) => resolve(path)))];
  const names = paths.map((path) => basename(path));
  const unique = new Set(names).size === names.length;
  return paths.map((rootPath) => ({
    name: (unique && basename(rootPath)) || rootPath,
    rootPath,
  }));
}
