/**
 * Makes the README's pictures anew, in media/screenshots: `npm run pictures [-- light|dark]`. The packed extension
 * runs in VS Code, and the default model reads and answers; nothing is drawn but the pointer.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Locator } from 'playwright-core';
import { smolLm2Path } from '../../modelFiles.ts';
import { openWorkbench, type Workbench } from '../host/workbench.ts';
import { ferryFolder } from '../workspaces.ts';
import { animation, smallerPng } from './encode.ts';
import { addPointer, movePointer, removePointer } from './pointer.ts';
import { startRecording, type Recording } from './recording.ts';

const root = resolve(import.meta.dirname, '../../..');
const pictureFolder = join(root, 'media/screenshots');
/** The host that is pictured is for Linux. */
const target = `linux-${process.arch}`;
const vsixPath = join(root, `dist/vsix/ask-codebase-${target}.vsix`);
/** In CSS pixels. */
const size = { width: 1280, height: 800 };
const SIDE_BAR_WIDTH = 440; // CSS pixels
const question = 'Which children travel for free?';
const ANSWER_LIMIT_MILLISECONDS = 120_000;
/** How long the parts of the recording are played at most, together about 20 s: a busy machine would show them slower. */
const ASK_PLAYED_MILLISECONDS = 7_000;
const WAIT_PLAYED_MILLISECONDS = 2_500;
const CITATION_PLAYED_MILLISECONDS = 5_000;

/** What the window has because it is served to a browser: other windows of VS Code do not show it. */
const ofTheHost = [
  '.window-appicon',
  '[id="status.host"]',
  '[id="status.forwardedPorts"]',
  '[id="status.workbench.keyboardLayout"]',
];

const themes = { light: 'Default Light Modern', dark: 'Default Dark Modern' };
const names = process.argv.slice(2);
execFileSync('npm', ['run', '--silent', 'package', '--', target], { cwd: root, stdio: 'inherit' });
for (const [name, theme] of Object.entries(themes)) {
  if (names.length === 0 || names.includes(name)) await makePictures(name, theme);
}

async function makePictures(name: string, theme: string): Promise<void> {
  const workbench = await openWorkbench({
    workspace: ferryFolder,
    vsixPath,
    size,
    settings: {
      'workbench.colorTheme': theme,
      'editor.minimap.enabled': false,
      // The host comes without one, and would say so when a TypeScript file is opened.
      'js/ts.tsdk.path': join(root, 'node_modules/typescript/lib'),
    },
    machineSettings: {
      'askCodebase.modelFolder': dirname(await smolLm2Path()),
      'askCodebase.device': 'cpu',
    },
  });
  try {
    await mkdir(pictureFolder, { recursive: true });
    await prepare(workbench);
    const recording = await startRecording(workbench.page, ASK_PLAYED_MILLISECONDS);
    const exchange = workbench.webview().locator('ask-exchange');
    await ask(workbench);
    recording.beginWaiting(WAIT_PLAYED_MILLISECONDS);
    const halfRead = exchange.locator('.activity', { hasText: /Reading\s+[4-7]\d%/ });
    await halfRead.waitFor({ timeout: ANSWER_LIMIT_MILLISECONDS });
    await recording.without(async () => keep(workbench, `reading-${name}`));
    await exchange.locator('ask-answer').waitFor({ timeout: ANSWER_LIMIT_MILLISECONDS });
    recording.beginWaiting(WAIT_PLAYED_MILLISECONDS);
    await exchange.locator('.facts').waitFor({ timeout: ANSWER_LIMIT_MILLISECONDS });
    await openCitation(workbench, exchange, recording);
    await write(`recording-${name}.gif`, animation(await recording.stop()));

    await showEvidence(workbench, exchange);
    await keep(workbench, `answer-${name}`);
  } finally {
    await workbench.close();
  }
}

/** A window as somebody has it who works: a file open, and a side bar that is wide enough to read in. */
async function prepare(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  // What turns and slides is drawn by the cores that the model reads with.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await workbench.openFile('README.md');
  const sideBar = await page.locator('.part.sidebar').boundingBox();
  if (sideBar === null) throw new Error('The window has no side bar.');
  const edge = sideBar.x + sideBar.width;
  await page.mouse.move(edge, size.height / 2);
  await page.mouse.down();
  await page.mouse.move(SIDE_BAR_WIDTH + sideBar.x, size.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.mouse.move(size.width / 2, size.height - 50);
  await page.addStyleTag({ content: `${ofTheHost.join()} { display: none !important; }` });
  await addPointer(page);
  await page.waitForTimeout(1_000);
}

async function ask(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  await page.waitForTimeout(700);
  await page.keyboard.press('F1');
  await workbench.quickInput().waitFor();
  await page.keyboard.type('Ask codebase', { delay: 60 });
  await page.waitForTimeout(900);
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget:visible', { hasNotText: 'Ask Codebase: Show' }).waitFor();
  await page.waitForTimeout(500);
  await page.keyboard.type(question, { delay: 30 });
  await page.waitForTimeout(600);
  await page.keyboard.press('Enter');
}

async function openCitation(workbench: Workbench, exchange: Locator, recording: Recording): Promise<void> {
  const { page } = workbench;
  const citation = exchange.locator('.citations .lines-link').first();
  const place = await citation.boundingBox();
  if (place === null) throw new Error('The answer has no citation.');
  recording.beginPart(CITATION_PLAYED_MILLISECONDS);
  await page.waitForTimeout(1_500);
  await movePointer(page, place.x + place.width / 2, place.y + place.height / 2);
  await page.waitForTimeout(800);
  await citation.click();
  await page.locator('.statusbar-item', { hasText: 'selected' }).waitFor();
  await page.waitForTimeout(500);
  await removePointer(page);
}

/** Opens the evidence and marks it in the editor, where nothing is selected any more. */
async function showEvidence(workbench: Workbench, exchange: Locator): Promise<void> {
  const { page } = workbench;
  await exchange.locator('details.evidence summary').click();
  await exchange.getByRole('button', { name: 'Show in the editor' }).click();
  await page.locator('.view-overlays [class*="ced-"]').first().waitFor();
  await page.locator('.editor-instance .view-line').last().click();
  await exchange.locator('h2').scrollIntoViewIfNeeded();
  await page.mouse.move(size.width / 2, size.height - 50);
  await page.waitForTimeout(1_000);
}

/** Keeps what the window shows now, at the resolution of a good screen. */
async function keep({ page }: Workbench, name: string): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const clip = { x: 0, y: 0, ...size, scale: 2 };
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'png', clip });
  await devtools.detach();
  await write(`${name}.png`, smallerPng(Buffer.from(data, 'base64')));
}

async function write(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(join(pictureFolder, name), bytes);
  console.log(`media/screenshots/${name}  ${(bytes.length / 1024).toFixed(0)} KiB`);
}
