import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { toolInputJsonSchema } from '../../extension/agents/request.ts';
import {
  agents,
  askKey,
  commands,
  contextKeys,
  settings,
  settingsSection,
  views,
} from '../../extension/contributions.ts';
import { defaultMaxAnswerTokens, defaultTokenBudget } from '../../extension/terminal/arguments.ts';

const root = join(import.meta.dirname, '../..');
const menuItem = z.object({ command: z.string(), when: z.string().optional(), group: z.string().optional() });
const view = z.strictObject({
  type: z.string(),
  id: z.string(),
  name: z.string(),
  icon: z.string(),
  contextualTitle: z.string(),
});
const setting = z.looseObject({
  type: z.string(),
  default: z.unknown(),
  scope: z.enum(['machine', 'machine-overridable', 'window', 'resource', 'language-overridable']),
  order: z.int(),
  markdownDescription: z.string(),
  enum: z.array(z.string()).optional(),
  enumItemLabels: z.array(z.string()).optional(),
  markdownEnumDescriptions: z.array(z.string()).optional(),
});
const manifest = z
  .object({
    icon: z.string(),
    activationEvents: z.array(z.string()).optional(),
    capabilities: z.object({
      untrustedWorkspaces: z.object({
        supported: z.literal('limited'),
        restrictedConfigurations: z.array(z.string()),
      }),
      virtualWorkspaces: z.object({ supported: z.literal(false) }),
    }),
    contributes: z.strictObject({
      chatParticipants: z.array(z.looseObject({ id: z.string(), name: z.string() })),
      languageModelTools: z.array(
        z.looseObject({ name: z.string(), toolReferenceName: z.string(), inputSchema: z.unknown() }),
      ),
      commands: z.array(
        z.strictObject({
          command: z.string(),
          title: z.string(),
          category: z.string().optional(),
          icon: z.string().optional(),
          enablement: z.string().optional(),
        }),
      ),
      menus: z.record(z.string(), z.array(menuItem)),
      keybindings: z.array(z.unknown()),
      viewsContainers: z.record(
        z.string(),
        z.array(z.object({ id: z.string(), title: z.string(), icon: z.string() })),
      ),
      views: z.record(z.string(), z.array(view)),
      walkthroughs: z.array(
        z.object({
          steps: z.array(
            z.object({
              description: z.string(),
              media: z.object({ svg: z.string(), altText: z.string() }),
              completionEvents: z.array(z.string()),
            }),
          ),
        }),
      ),
      configuration: z.array(
        z.strictObject({ id: z.string(), title: z.string(), properties: z.record(z.string(), setting) }),
      ),
    }),
  })
  .parse(readJson('package.json'));
const { contributes } = manifest;
const english = z.record(z.string(), z.string()).parse(readJson('package.nls.json'));

const commandIds: readonly string[] = Object.values(commands);
const palette = contributes.menus['commandPalette'] ?? [];
const clauses = [
  ...Object.values(contributes.menus).flatMap((items) => items.map(({ when }) => when)),
  ...contributes.commands.map(({ enablement }) => enablement),
].filter((clause) => clause !== undefined);

/** Those of VS Code that our clauses may ask for. */
const foreignContextKeys = [
  'editorHasSelection',
  'explorerResourceIsFolder',
  'resourceScheme',
  'view',
  'workspaceFolderCount',
];

test('every command is contributed, and no other', () => {
  expect(contributes.commands.map(({ command }) => command).toSorted()).toEqual(commandIds.toSorted());
});

test('the main command has no category and the others have one', () => {
  const [without, others] = [true, false].map((main) =>
    contributes.commands.filter(({ command }) => (command === commands.ask) === main),
  );
  expect(without?.map(({ category }) => category)).toEqual([undefined]);
  expect(new Set(others?.map(({ category }) => category))).toEqual(new Set(['%category%']));
  expect(english['command.ask']).toBe('Ask codebase');
});

test.each(Object.entries(contributes.menus))(
  'the menu %s holds commands that exist, each once',
  (_, items) => {
    const ids = items.map(({ command }) => command);
    expect(ids).toEqual([...new Set(ids)]);
    expect(commandIds).toEqual(expect.arrayContaining(ids));
  },
);

test('what the palette never shows is what needs a place that was clicked', () => {
  const hidden = palette.filter(({ when }) => when === 'false').map(({ command }) => command);
  expect(hidden).toEqual([commands.askAboutFolder, commands.showMenu]);
});

test('an icon stands where a title bar shows it', () => {
  const inTitle = (contributes.menus['view/title'] ?? []).filter(({ group }) =>
    group?.startsWith('navigation'),
  );
  const withIcon = contributes.commands.filter(({ icon }) => icon !== undefined);
  expect(inTitle.length).toBeGreaterThan(0);
  expect(withIcon.map(({ command }) => command)).toEqual(inTitle.map(({ command }) => command));
});

test('clauses ask for context keys that someone sets, and for every one of ours', () => {
  const asked = new Set(clauses.filter((clause) => clause !== 'false').flatMap(keysOf));
  const ours = Object.values(contextKeys);
  expect([...asked].filter((key) => !foreignContextKeys.includes(key)).toSorted()).toEqual(ours.toSorted());
});

test('clauses that name a view name ours', () => {
  const named = clauses.flatMap((clause) => [...clause.matchAll(/\bview == (\S+)/g)].map(([, id]) => id));
  expect(new Set(named)).toEqual(new Set([views.chat]));
});

test('one key, for the main command', () => {
  expect(contributes.keybindings).toEqual([{ command: commands.ask, ...askKey }]);
});

test('one container with one webview', () => {
  expect(
    Object.values(contributes.viewsContainers)
      .flat()
      .map(({ id }) => id),
  ).toEqual([views.container]);
  const contributed = Object.entries(contributes.views).map(([container, [first, ...rest]]) => [
    container,
    first?.type,
    first?.id,
    rest.length,
  ]);
  expect(contributed).toEqual([[views.container, 'webview', views.chat, 0]]);
});

describe('settings', () => {
  const contributed = Object.assign(
    {},
    ...contributes.configuration.map(({ properties }) => properties),
  ) as Record<string, z.infer<typeof setting>>;
  const ids = Object.values(settings).map(({ key }) => id(key));

  test('every one is contributed, and no other', () => {
    expect(Object.keys(contributed).toSorted()).toEqual(ids.toSorted());
  });

  test.each(Object.entries(settings))('%s has the type, the default and the range of the code', (_, ours) => {
    const { key, ...expected } = ours;
    expect(contributed[id(key)]).toMatchObject(expected);
  });

  test.each(Object.entries(contributed))(
    '%s says of each of its values what it means',
    (key, { ...theirs }) => {
      const name = key.slice(settingsSection.length + 1);
      expect(theirs.markdownDescription).toBe(`%setting.${name}%`);
      expect(theirs.markdownEnumDescriptions).toEqual(
        theirs.enum?.map((value) => `%setting.${name}.${value}%`),
      );
      expect(theirs.enumItemLabels).toEqual(theirs.enum?.map((value) => `%setting.${name}.${value}.label%`));
    },
  );

  test.each(contributes.configuration)('$id is ordered as it is written', ({ properties }) => {
    const orders = Object.values(properties).map(({ order }) => order);
    expect(orders).toEqual(orders.map((_, index) => index + 1));
  });

  test('a workspace that is not trusted chooses neither files nor the device nor how it is used', () => {
    const named = ['model', 'modelFolder', 'modelMirror', 'device', 'kvCacheType'].map(id);
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(named);
    expect(named.map((key) => contributed[key]?.scope)).toEqual([
      'machine-overridable',
      'machine',
      'machine',
      'machine',
      'machine',
    ]);
  });

  test('the budget and the longest answer are those of the terminal', () => {
    expect(settings.tokenBudget.default).toBe(defaultTokenBudget);
    expect(settings.maxAnswerTokens.default).toBe(defaultMaxAnswerTokens);
  });

  test('links in the descriptions lead to settings and commands that exist', () => {
    const texts = Object.values(english).join('\n');
    const linked = [...texts.matchAll(/`#([\w.]+)#`/g)].map(([, key]) => key);
    const run = [...texts.matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command);
    expect(linked.length).toBeGreaterThan(0);
    expect(ids).toEqual(expect.arrayContaining(linked));
    expect(commandIds).toEqual(expect.arrayContaining(run));
  });
});

test('each step of the walkthrough has a picture, a command as its action, and ends when that was run', () => {
  const steps = contributes.walkthroughs.flatMap(({ steps }) => steps);
  expect(steps.length).toBeGreaterThan(0);
  for (const { description, media, completionEvents } of steps) {
    const text = english[description.slice(1, -1)] ?? '';
    const [first] = [...text.matchAll(/^\[[^\]]+\]\(command:([\w.]+)\)$/gm)].map(([, command]) => command);
    expect(completionEvents).toEqual([`onCommand:${first}`]);
    expect(existsSync(join(root, media.svg))).toBe(true);
  }
});

test('the pictures that package.json names exist', () => {
  const icons = [
    manifest.icon,
    ...Object.values(contributes.viewsContainers).flatMap((containers) => containers.map(({ icon }) => icon)),
    ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
  ];
  expect(icons.filter((icon) => !existsSync(join(root, icon)))).toEqual([]);
});

test('every text is in package.nls.json, and nothing else is', () => {
  const used = [...JSON.stringify(readJson('package.json')).matchAll(/"%([^"%]+)%"/g)].map(([, key]) => key);
  expect([...new Set(used)].toSorted()).toEqual(Object.keys(english).toSorted());
});

test('no text of package.json is left in English', () => {
  // Models read the descriptions of the tool's input, and a participant's name is what is typed.
  const { chatParticipants, languageModelTools, ...others } = contributes;
  const forPeople = [
    others,
    ...chatParticipants.map(({ name: _, ...shown }) => shown),
    ...languageModelTools.map(({ name: _, inputSchema: __, ...shown }) => shown),
  ];
  const shown = JSON.stringify(forPeople).matchAll(
    /"(?:title|category|name|contextualTitle|description|markdownDescription|altText)":"([^"]*)"/g,
  );
  expect([...shown].map(([, text]) => text).filter((text) => !/^%.+%$/.test(text ?? ''))).toEqual([]);
});

test('it is activated by what is contributed and by a link', () => {
  expect(manifest.activationEvents).toEqual(['onUri']);
});

test('one participant and one tool, by the names of the code', () => {
  const { participant, participantName, tool, toolReference } = agents;
  expect(contributes.chatParticipants).toMatchObject([{ id: participant, name: participantName }]);
  expect(contributes.languageModelTools).toMatchObject([{ name: tool, toolReferenceName: toolReference }]);
});

test('the tool takes what the code checks', () => {
  expect(contributes.languageModelTools[0]?.inputSchema).toEqual(toolInputJsonSchema());
});

function id(key: string): string {
  return `${settingsSection}.${key}`;
}

/** The names in a clause: what is compared with, and regular expressions, are taken out first. */
function keysOf(clause: string): readonly string[] {
  const bare = clause.replace(/(?:==|!=|=~)\s*(?:\/[^/]*(?:\\\/[^/]*)*\/\w*|\S+)/g, '');
  return bare.match(/[A-Za-z][\w.]*/g) ?? [];
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
