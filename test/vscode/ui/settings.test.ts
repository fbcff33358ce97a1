/** What each setting of package.json changes, and which settings an untrusted workspace cannot change. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { settings as known, type SettingName } from '../../../extension/contributions.ts';
import { smolLm2Path } from '../../modelFiles.ts';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { hubFile, startFaultyServer, testContent } from '../../unit/models/faultyServer.ts';
import { ferryFolderWith, foreignFolder, foreignSettings, timetables } from '../workspaces.ts';
import { hover, restOn } from './hovers.ts';
import { usePanel, type StoredExchange } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const temporaryFolder = mkdtempSync(join(tmpdir(), 'ask-codebase-settings-'));
const emptyFolder = join(temporaryFolder, 'no-models');
const tinyModel = join(temporaryFolder, 'tiny.gguf');
writeTinyModel(tinyModel, tinyOptions);
afterAll(() => rmSync(temporaryFolder, { recursive: true }));

/** By the names of contributions.ts. */
type Values = Partial<Record<SettingName, unknown>>;

/** Little is read and written, so that an answer takes seconds. */
const plain: Values = {
  modelFolder: dirname(await smolLm2Path()),
  device: 'cpu',
  reading: 'limit',
  readingLimit: 2_000,
  maxAnswerTokens: 12,
  index: false,
};
const question = 'What is the highest wind at which the ferry sails?';

describe('each setting', () => {
  // More than any machine reads within the time that is not asked about.
  const workspace = ferryFolderWith(timetables(50));
  const workbench = useWorkbench({ workspace, machineSettings: byId(plain) });
  const { page, last, askAnew, ended } = usePanel(workbench);
  const set = (values: Values): Promise<void> =>
    workbench().changeMachineSettings(byId({ ...plain, ...values }));
  let lastUse = 0;
  const answerWith = async (values: Values): Promise<Answered> => {
    await set(values);
    await askAnew(question);
    const stored = await ended();
    lastUse = Date.now();
    return answered(stored);
  };
  const stop = async (): Promise<void> => {
    await last()
      .getByRole('button', { name: /^(Stop|Cancel)$/ })
      .click();
    await last().getByText('Stopped.').waitFor();
    lastUse = Date.now();
  };

  let before: Answered;
  it('begins with an answer to compare with', async () => {
    await workbench().openContainer('Ask Codebase');
    before = await answerWith({});
    expect(before.facts.device).toMatch(/cpu/i);
    expect(before.facts.statistics).toMatchObject({ generatedTokens: 12, reused: 'none', tokenBudget: 1024 });
  });

  /** In this order: the engine has nothing to do from some point on, for the minute that the last one needs. */
  const cases: Readonly<Record<SettingName, () => Promise<void>>> = {
    async maxAnswerTokens() {
      expect((await answerWith({ maxAnswerTokens: 5 })).facts.statistics.generatedTokens).toBe(5);
    },
    async temperature() {
      const { exchange, facts } = await answerWith({ temperature: 2 });
      expect(facts.evidence).toEqual(before.facts.evidence);
      expect(exchange.text).not.toBe(before.exchange.text);
    },
    async tokenBudget() {
      const { statistics } = (await answerWith({ tokenBudget: 64 })).facts;
      expect(statistics.tokenBudget).toBe(64);
      expect(statistics.keptTokens).toBeLessThanOrEqual(64);
      expect(before.facts.statistics.keptTokens).toBeGreaterThan(64);
    },
    async storedReadingsLimit() {
      // The engine itself has only what it read last.
      expect((await answerWith({})).facts.statistics.reused).toBe('state');
      const unstored = await answerWith({ tokenBudget: 64, storedReadingsLimit: 0 });
      expect(unstored.facts.statistics.reused).toBe('none');
    },
    async index() {
      await set({ index: true });
      await workbench().statusBarItem('Ask: indexing').waitFor();
      await set({});
      await workbench().statusBarItem('Ask: ready').waitFor();
    },
    async preset() {
      const { evidence, statistics } = (await answerWith({ preset: 'paper' })).facts;
      expect(statistics.documentTokens).toBe(before.facts.statistics.documentTokens);
      expect(evidence).not.toEqual(before.facts.evidence);
    },
    async readingLimit() {
      const { documentTokens } = (await answerWith({ readingLimit: 1_000 })).facts.statistics;
      expect(documentTokens).toBeLessThanOrEqual(1_000);
      expect(before.facts.statistics.documentTokens).toBeGreaterThan(1_000);
    },
    async exclude() {
      const pathsOf = ({ reading }: Answered): readonly string[] => reading.files.map(({ path }) => path);
      const excluding = await answerWith({ exclude: ['/sailing/', 'fares.ts'] });
      const left = excluding.reading.coverage.skipped.filter(({ reason }) => reason === 'excludeSetting');
      expect(left.map(({ path }) => path).sort()).toEqual(['sailing/', 'tickets/fares.ts']);
      expect(pathsOf(before)).toContain('sailing/weather.py');
      expect(pathsOf(excluding).filter((path) => /sailing|fares/.test(path))).toEqual([]);
    },
    async reading() {
      await set({ reading: 'everything' });
      await askAnew(question);
      const card = await last()
        .getByText(/Reading all [\d,]+ tokens is estimated/)
        .innerText();
      expect(numberIn(card)).toBeGreaterThan(100_000);
      await stop();
      await set({ reading: 'automatic' });
      await askAnew(question);
      const automatic = numberIn(
        await last()
          .locator('.details', { hasText: /of [\d,]+ tokens/ })
          .innerText(),
      );
      expect(automatic).toBeGreaterThan(2_000);
      expect(automatic).toBeLessThan(numberIn(card));
      await stop();
    },
    async confirmLongReadings() {
      await set({ reading: 'everything', confirmLongReadings: false });
      await askAnew(question);
      // It reads, and has not asked.
      const details = await last()
        .locator('.details', { hasText: /of [\d,]+ tokens/ })
        .innerText();
      expect(numberIn(details)).toBeGreaterThan(100_000);
      await stop();
    },
    async device() {
      // No machine that these tests run on has it.
      await set({ device: 'metal' });
      await askAnew(question);
      expect((await ended()).exchange.failure?.reason).toBe('libraryNotLoaded');
    },
    async kvCacheType() {
      const { statistics } = (await answerWith({ kvCacheType: 'q8_0' })).facts;
      // The case of the index may have left one that is whole, so the ranking may be taken from it.
      expect(statistics.reused).not.toBe('state');
      expect(statistics.kvCacheBytes).toBeLessThan(0.6 * before.facts.statistics.kvCacheBytes);
    },
    async model() {
      const { facts } = await answerWith({ model: tinyModel });
      expect(facts.model).not.toBe(before.facts.model);
      await page().locator('footer', { hasText: facts.model }).waitFor();
    },
    async modelFolder() {
      await set({ modelFolder: emptyFolder });
      await askAnew(question);
      await last()
        .getByRole('button', { name: /^Get SmolLM2/ })
        .waitFor();
      await last().getByRole('button', { name: 'Cancel' }).click();
      await last().getByText('Stopped.').waitFor();
    },
    async modelMirror() {
      const answer = hubFile(testContent(5_000_000), '/owner/tiny/resolve/main/tiny.gguf');
      const mirror = await startFaultyServer(answer);
      try {
        const model = 'hf:owner/tiny/tiny.gguf';
        await set({ modelFolder: emptyFolder, model, modelMirror: new URL(mirror.url).origin });
        await askAnew(question);
        await last().getByRole('button', { name: 'Get tiny (5 MB)' }).waitFor();
      } finally {
        await mirror.close();
      }
      await last().getByRole('button', { name: 'Cancel' }).click();
      await last().getByText('Stopped.').waitFor();
    },
    async hover() {
      const offer = hover(workbench(), 'Explain fareOf with Ask Codebase');
      const rest = async (): Promise<number> => {
        await restOn(workbench(), 'const fare = fareOf', 'fareOf');
        await sleep(2_500);
        return offer.count();
      };
      await set({});
      await workbench().openFile('tickets/refunds.ts');
      // An editor that has only just opened may not take a pointer's first rest.
      await expect.poll(rest, { timeout: 30_000 }).toBe(1);
      await set({ hover: false });
      expect(await rest()).toBe(0);
    },
    async codeLens() {
      const lenses = workbench().page.locator('.codelens-decoration a');
      expect(await lenses.count()).toBe(0);
      await set({ codeLens: true });
      await lenses.first().waitFor();
      await set({});
      await workbench().runCommand('View: Close All Editors');
    },
    async idleMinutes() {
      await set({});
      const minuteMs = 60_000;
      await sleep(Math.max(0, lastUse + minuteMs + 2_000 - Date.now()));
      await workbench().statusBarItem('Ask: ready').waitFor();
      await set({ idleMinutes: 1 });
      await workbench().statusBarItem('Ask: stopped').waitFor();
    },
  };

  it('has a case here', async () => {
    const text = await readFile(resolve(import.meta.dirname, '../../../package.json'), 'utf8');
    const { contributes } = JSON.parse(text) as {
      contributes: { configuration: readonly { properties: Record<string, unknown> }[] };
    };
    const ids = contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    expect(Object.keys(byId(cases)).sort()).toEqual(ids.sort());
  });

  it.each(Object.entries(cases))('%s changes what it says', (_, changes) => changes());
});

describe('Restricted Mode', () => {
  const workbench = useWorkbench({
    workspace: foreignFolder,
    workspaceTrust: true,
    machineSettings: byId({ modelFolder: emptyFolder, device: 'cpu' }),
  });
  const { page, last, askAnew, ended } = usePanel(workbench);

  it('takes no model from the workspace until it is trusted', async () => {
    const note = page().getByText('Restricted mode: settings of this workspace');
    await workbench().openContainer('Ask Codebase');
    await note.waitFor();
    await askAnew(question);
    await last()
      .getByRole('button', { name: /^Get SmolLM2/ })
      .waitFor();
    await last().getByRole('button', { name: 'Cancel' }).click();

    await workbench().statusBarItem('Restricted Mode').click();
    await workbench().page.getByRole('button', { name: 'Trust', exact: true }).click();
    await note.waitFor({ state: 'hidden' });
    await workbench().runCommand('View: Close All Editors');
    await askAnew(question);
    expect((await ended()).exchange.failure?.message).toContain(foreignSettings['askCodebase.model']);
  });
});

interface Answered {
  readonly exchange: StoredExchange['exchange'];
  readonly facts: NonNullable<StoredExchange['exchange']['facts']>;
  readonly reading: NonNullable<StoredExchange['reading']>;
}

function answered({ exchange, reading }: StoredExchange): Answered {
  const { facts, failure } = exchange;
  if (facts === undefined || reading === undefined)
    throw new Error(`The question was not answered: ${failure?.message ?? exchange.state}`);
  return { exchange, facts, reading };
}

/** As in settings.json. */
function byId(values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.values(known).flatMap(({ key }) => (key in values ? [[`askCodebase.${key}`, values[key]]] : [])),
  );
}

/** The last of a sentence. */
function numberIn(sentence: string): number {
  return Number(/([\d,]+) tokens/.exec(sentence)?.[1]?.replaceAll(',', ''));
}
