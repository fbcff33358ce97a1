/** A pointer to see in a recording: a browser without a display has none. */
import type { Page } from 'playwright-core';

const ID = 'recorded-pointer';
const TRAVEL_MILLISECONDS = 700;

/** Adds it out of sight, below the window. */
export async function addPointer(page: Page): Promise<void> {
  await page.evaluate(
    ({ id, milliseconds }) => {
      const namespace = 'http://www.w3.org/2000/svg';
      const pointer = document.createElementNS(namespace, 'svg');
      const arrow = document.createElementNS(namespace, 'path');
      arrow.setAttribute('d', 'M1 1v17l4.5-4.2 2.8 6.4 2.6-1.1-2.8-6.3H14z');
      arrow.setAttribute('fill', 'black');
      arrow.setAttribute('stroke', 'white');
      pointer.id = id;
      pointer.append(arrow);
      Object.assign(pointer.style, {
        position: 'fixed',
        left: '60%',
        top: '100%',
        width: '24px',
        height: '24px',
        zIndex: '100000',
        pointerEvents: 'none',
        transition: `left ${milliseconds}ms, top ${milliseconds}ms`,
      });
      document.body.append(pointer);
    },
    { id: ID, milliseconds: TRAVEL_MILLISECONDS },
  );
}

/** Moves its tip to a place, in CSS pixels of the window, and waits until it is there. */
export async function movePointer(page: Page, x: number, y: number): Promise<void> {
  await page.evaluate(
    ({ id, left, top }) => {
      const pointer = document.getElementById(id);
      if (pointer !== null) Object.assign(pointer.style, { left, top });
    },
    { id: ID, left: `${x}px`, top: `${y}px` },
  );
  await page.waitForTimeout(TRAVEL_MILLISECONDS);
}

export async function removePointer(page: Page): Promise<void> {
  await page.evaluate((id) => document.getElementById(id)?.remove(), ID);
}
