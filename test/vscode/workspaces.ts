/** The folders that tests open: small, but real code in several languages, with facts that stand nowhere else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Makes what a window opens within an empty folder, and gives its path; undefined is a window without a folder. */
export type WorkspaceMaker = (folder: string) => Promise<string | undefined>;

/** Paths with their contents. */
export type Files = Readonly<Record<string, string>>;

/** A workspace of these files. */
export function filesOf(files: Files): WorkspaceMaker {
  return async (folder) => {
    await writeFiles(folder, files);
    return folder;
  };
}

/** A workspace of one folder: how a ferry company sells tickets and decides whether it sails. */
export const ferryFolder: WorkspaceMaker = ferryFolderWith({});

/** The same with more files. */
export function ferryFolderWith(files: Files): WorkspaceMaker {
  return async (folder) => filesOf({ ...ferryFiles, ...files })(join(folder, 'ferry'));
}

/** What a workspace would set of what only a trusted one, or none, may set. */
export const foreignSettings = {
  'askCodebase.model': '/of/the/workspace.gguf',
  'askCodebase.modelFolder': '/of/the',
  'askCodebase.device': 'metal',
  'askCodebase.kvCacheType': 'q8_0',
} as const;

/** The ferry with these settings in its own settings.json. */
export const foreignFolder: WorkspaceMaker = ferryFolderWith({
  '.vscode/settings.json': JSON.stringify(foreignSettings),
});

/** Timetables, one file of about 20 kB a week. */
export function timetables(weeks: number): Files {
  return Object.fromEntries(
    Array.from({ length: weeks }, (_, week) => [`timetable/week-${week}.md`, timetable(week)]),
  );
}

/** A workspace of two folders, `ferry` and `lighthouse`, by a .code-workspace file. */
export const twoFolders: WorkspaceMaker = async (folder) => {
  await writeFiles(join(folder, 'ferry'), ferryFiles);
  await writeFiles(join(folder, 'lighthouse'), lighthouseFiles);
  const path = join(folder, 'harbour.code-workspace');
  await writeFile(path, JSON.stringify({ folders: [{ path: 'ferry' }, { path: 'lighthouse' }] }));
  return path;
};

export const noFolder: WorkspaceMaker = async () => Promise.resolve(undefined);

function timetable(week: number): string {
  const rows = Array.from({ length: 400 }, (_, row) => {
    const minute = (week * 7 + row * 13) % 1440;
    return `- departure ${week}-${row}: berth ${(week + row) % 9}, minute ${minute} of the day`;
  });
  return `# Week ${week}\n\n${rows.join('\n')}\n`;
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}

const ferryFiles: Files = {
  '.gitignore': 'build/\n*.log\n',
  'README.md': `# Ferry

Sells tickets for the ferry between Altwarp and Kamminke and decides each morning whether it sails.

- \`sailing/\` decides whether the ship leaves (Python)
- \`tickets/\` computes what a trip costs (TypeScript)
- \`board/\` drives the departure board on the pier (C)
`,
  'build/board.map': 'not read: ignored by git\n',
  'sailing/weather.py': `"""Decides from the weather whether the ship leaves."""

from dataclasses import dataclass

# Above this the gangway cannot be kept on the pier.
MAX_WIND_METRES_PER_SECOND = 17
MIN_VISIBILITY_METRES = 450


@dataclass
class Weather:
    wind: float
    visibility: float


def may_sail(weather: Weather) -> bool:
    """Whether the ship may leave the harbour."""
    if weather.wind > MAX_WIND_METRES_PER_SECOND:
        return False
    return weather.visibility >= MIN_VISIBILITY_METRES
`,
  'sailing/crew.py': `"""Who must be on board."""

REQUIRED = {"captain": 1, "engineer": 1, "deckhand": 3}


def missing_crew(on_board: dict[str, int]) -> dict[str, int]:
    """How many are missing for each role; empty when the crew is complete."""
    return {
        role: count - on_board.get(role, 0)
        for role, count in REQUIRED.items()
        if on_board.get(role, 0) < count
    }
`,
  'tickets/fares.ts': `/** Prices in cents. */
const ADULT_FARE = 1250;
const BICYCLE_FEE = 385;
const CHILD_AGE_LIMIT = 12;

export interface Passenger {
  age: number;
  bicycle: boolean;
}

/** Children below the age limit travel for nothing; their bicycles do not. */
export function fareOf({ age, bicycle }: Passenger): number {
  const seat = age < CHILD_AGE_LIMIT ? 0 : ADULT_FARE;
  return seat + (bicycle ? BICYCLE_FEE : 0);
}
`,
  'tickets/refunds.ts': `import { fareOf, type Passenger } from './fares';

/** A trip that was cancelled is paid back in full, a missed one to a fifth. */
export function refundOf(passenger: Passenger, reason: 'cancelled' | 'missed'): number {
  const fare = fareOf(passenger);
  return reason === 'cancelled' ? fare : Math.floor(fare / 5);
}
`,
  'board/board.c': `#include "board.h"

/* The lamps of the board burn out when all are lit, so at most 96 of the 128 are on at once. */
#define MAX_LIT_LAMPS 96

int board_show(struct board *board, const unsigned char *lamps, int count)
{
    int lit = 0;
    for (int i = 0; i < count; i++)
        if (lamps[i] && ++lit > MAX_LIT_LAMPS)
            return BOARD_TOO_BRIGHT;
    return board_send(board, lamps, count);
}
`,
  'board/board.h': `#ifndef BOARD_H
#define BOARD_H

#define BOARD_TOO_BRIGHT (-2)

struct board {
    int port;
};

int board_show(struct board *board, const unsigned char *lamps, int count);
int board_send(struct board *board, const unsigned char *lamps, int count);

#endif
`,
};

const lighthouseFiles: Files = {
  'README.md': `# Lighthouse

Turns the lamp of the lighthouse of Kamminke. Its keeper, Wilhelmine Petersen, is called when the lamp stands still.
`,
  'lamp.go': `// Package lamp turns the light of the lighthouse.
package lamp

// SecondsPerTurn is what the harbour's chart says of the light.
const SecondsPerTurn = 11

// Angle tells where the beam points, in degrees, after so many seconds.
func Angle(seconds int) int {
	return seconds % SecondsPerTurn * 360 / SecondsPerTurn
}
`,
};
