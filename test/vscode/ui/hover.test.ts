/** Explanations in the editor, made by the real model and brought up by a pointer that rests. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseExplanation, type Explanation } from '../../../extension/explanations/explanation.ts';
import { smolLm2Path } from '../../modelFiles.ts';
import { typeScriptSettings } from '../typeScript.ts';
import { ferryFolderWith } from '../workspaces.ts';
import { hover, restOn } from './hovers.ts';
import { answerMs, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

/** Longer than any hover takes to appear. */
const restMs = 2_500;
const call = 'const fare = fareOf(passenger)';
const offer = 'Explain fareOf with Ask Codebase';
const machineSettings = {
  'askCodebase.modelFolder': dirname(await smolLm2Path()),
  'askCodebase.device': 'cpu',
  'askCodebase.reading': 'limit',
  'askCodebase.readingLimit': 1_000,
  'askCodebase.maxAnswerTokens': 12,
};
/** Three definitions that take the model some seconds each. */
const planFile = 'sailing/plan.py';
const plans = ['spring', 'summer', 'winter'].map(
  (season, index) => `def ${season}_plan(day: int) -> list[int]:
    """The minutes at which the ship leaves on a day in ${season}."""
    minutes = [${400 + index}]
${Array.from({ length: 25 }, (_, row) => `    minutes.append(${425 + 25 * row} + day * ${index + row})\n`).join('')}    return minutes
`,
);

describe('a pointer that rests over a name', () => {
  const workspace = ferryFolderWith({ [planFile]: plans.join('\n\n') });
  const workbench = useWorkbench({ workspace, machineSettings, settings: typeScriptSettings });
  const { ask, ended } = usePanel(workbench);
  const mouse = () => workbench().page.mouse;
  const explainedPlans = async (): Promise<string[]> =>
    (await storedExplanations(workbench().userDataFolder))
      .filter(({ path }) => path === planFile)
      .map(({ name }) => name)
      .sort();

  it('brings up the offer to explain it, and no model', async () => {
    // The extension is there once it was used.
    await workbench().openContainer('Ask Codebase');
    await workbench().statusBarItem('Ask: stopped').waitFor();
    await workbench().openFile('tickets/refunds.ts');
    // A pointer that rests before all is loaded brings up nothing, or that the language server still loads.
    const shown = async (): Promise<string> => {
      await restOn(workbench(), call, 'fareOf');
      await workbench().page.waitForTimeout(restMs);
      return plain((await hover(workbench(), offer).allInnerTexts()).join());
    };
    // The language server's own stands first.
    await expect.poll(shown, { timeout: answerMs }).toMatch(new RegExp(`Passenger\\): number.*${offer}`));
    await workbench().statusBarItem('Ask: stopped').waitFor();
    await workbench().screenshot('hover-offer');
  });

  it('brings up nothing of ours over a keyword or a comment', async () => {
    for (const [line, word] of [
      ['export function refundOf', 'function'],
      ['A trip that was cancelled', 'cancelled'],
    ] as const) {
      await restOn(workbench(), line, word);
      await workbench().page.waitForTimeout(restMs);
      expect(await hover(workbench(), 'Ask Codebase').count()).toBe(0);
    }
  });

  it('shows the explanation that the offer made, where it is asked for', async () => {
    await restOn(workbench(), call, 'fareOf');
    await hover(workbench(), offer).getByText(offer).click();
    await workbench().notification('Explaining fareOf').waitFor();
    await mouse().move(5, 5);
    const shown = hover(workbench(), 'Defined in tickets/fares.ts:12');
    await shown.waitFor({ timeout: answerMs });
    await workbench().screenshot('hover-explained');
    const [explanation] = await storedExplanations(workbench().userDataFolder);
    expect(explanation).toMatchObject({ path: 'tickets/fares.ts', name: 'fareOf', container: '' });
    expect(explanation?.files.map(({ path }) => path).sort()).toEqual([
      'tickets/fares.ts',
      'tickets/refunds.ts',
    ]);
    expect(explanation?.text).not.toBe('');
    expect(plain(await shown.innerText())).toContain(plain(explanation?.text ?? ''));
  });

  it('leads to where the symbol is defined', async () => {
    await workbench().page.keyboard.press('Escape');
    await restOn(workbench(), call, 'fareOf');
    await hover(workbench(), 'Defined in').getByText('tickets/fares.ts:12').click();
    await expect.poll(() => workbench().activeTab()).toBe('fares.ts');
    await expect.poll(() => workbench().caret()).toMatch(/^Ln 12,/);
    // There it is the same explanation.
    await restOn(workbench(), 'export function fareOf', 'fareOf');
    await hover(workbench(), 'used in tickets/refunds.ts').waitFor();
  });

  it('says of an explanation that it is older than its files, unsaved text included, and makes it again', async () => {
    await workbench().goToLine(13);
    await workbench().page.keyboard.press('Home');
    await workbench().page.keyboard.type('// Rounded down.');
    await workbench().page.keyboard.press('Enter');
    await restOn(workbench(), 'export function fareOf', 'fareOf');
    const old = hover(workbench(), 'Its files have changed since:');
    await old.waitFor();
    const colours = await old.evaluate((element) => {
      const grey = element.querySelector('span[style*="disabledForeground"]');
      return grey === null ? undefined : [getComputedStyle(grey).color, getComputedStyle(element).color];
    });
    expect(colours?.[0]).not.toBe(colours?.[1]);
    await workbench().screenshot('hover-old');
    await old.getByText('Explain again').click();
    await workbench().notification('Explaining fareOf').waitFor();
    await workbench().notification('Explaining fareOf').waitFor({ state: 'detached', timeout: answerMs });
    await mouse().move(5, 5);
    await workbench().page.keyboard.press('Escape');
    await restOn(workbench(), 'export function fareOf', 'fareOf');
    await hover(workbench(), 'used in tickets/refunds.ts').waitFor();
    expect(await hover(workbench(), 'Its files have changed since:').count()).toBe(0);
    await workbench().runCommand('File: Save');
  });

  it('shows it in a new window at once, before anything was asked', async () => {
    await workbench().reload();
    await workbench().statusBarItem('Ask: stopped').waitFor();
    await workbench().openFile('tickets/refunds.ts');
    await restOn(workbench(), call, 'fareOf');
    await hover(workbench(), 'Defined in tickets/fares.ts:12').waitFor();
    expect(await workbench().statusBarItem('Ask: stopped').count()).toBe(1);
  });

  it('explains all that a file defines, and shows it above the definitions where that is wanted', async () => {
    await workbench().openFile('sailing/crew.py');
    await workbench().runCommand('Ask Codebase: Explain the Symbols of This File');
    const told = workbench().notification('2 of 2 symbols of sailing/crew.py are explained.');
    await told.waitFor({ timeout: answerMs });
    const lenses = workbench().page.locator('.codelens-decoration a');
    expect(await lenses.count()).toBe(0);
    await workbench().changeMachineSettings({ ...machineSettings, 'askCodebase.codeLens': true });
    await expect.poll(() => lenses.count()).toBe(2);
    const stored = await storedExplanations(workbench().userDataFolder);
    const { text } = stored.find(({ name }) => name === 'missing_crew')!;
    await expect
      .poll(async () => plain((await lenses.allInnerTexts()).join()))
      .toContain(plain(text).slice(0, 12));
    await workbench().screenshot('code-lens');
  });

  it('stops in the middle of a file when it is told to, and keeps what was made', async () => {
    await workbench().openFile(planFile);
    await workbench().runCommand('Ask Codebase: Explain the Symbols of This File');
    const told = workbench().notification(`Explaining the symbols of ${planFile}`);
    await told.filter({ hasText: '2 of 3: summer_plan' }).waitFor({ timeout: answerMs });
    await told.getByRole('button', { name: 'Cancel' }).click();
    await told.waitFor({ state: 'detached' });
    expect(await explainedPlans()).toEqual(['spring_plan']);
  });

  it('lets a question go first, and is made after it', async () => {
    const lines = plans.join('\n\n').split('\n');
    await workbench().goToLine(1 + lines.findIndex((line) => line.startsWith('def winter_plan')));
    await restOn(workbench(), 'def winter_plan', 'winter_plan');
    const offer = 'Explain winter_plan with Ask Codebase';
    await hover(workbench(), offer).getByText(offer).click();
    const told = workbench().notification('Explaining winter_plan');
    await told.filter({ hasText: 'Reading' }).waitFor({ timeout: answerMs });
    await ask('Who steers the ship?');
    expect((await ended()).exchange.state).toBe('answered');
    expect(await explainedPlans()).toEqual(['spring_plan']);
    await told.waitFor({ state: 'detached', timeout: answerMs });
    // The one that was stopped is not among them.
    expect(await explainedPlans()).toEqual(['spring_plan', 'winter_plan']);
  });
});

async function storedExplanations(userDataFolder: string): Promise<Explanation[]> {
  const storage = join(userDataFolder, 'User/workspaceStorage');
  const paths = await readdir(storage, { recursive: true });
  const found = paths.filter((path) => /[\\/]explanations[\\/][^\\/]+\.json$/.test(path));
  return Promise.all(
    found.map(async (path) => parseExplanation(await readFile(join(storage, path), 'utf8'))),
  );
}

/** A page writes some spaces otherwise than a file. */
function plain(text: string): string {
  return text.replace(/\s+/gu, ' ');
}
