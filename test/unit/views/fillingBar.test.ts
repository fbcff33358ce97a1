import { expect, test } from 'vitest';
import { fillingBar } from '../../../extension/views/fillingBar.ts';

test('the bar fills by what was done since, and never goes back', () => {
  const reports: { message?: string; increment?: number }[] = [];
  const tell = fillingBar({ report: (value) => void reports.push(value) });
  tell('finding', 3, undefined);
  tell('reading', 20, 80);
  tell('reading', 80, 80);
  tell('reading anew', 10, 100);
  tell('answering', 1, 0);
  expect(reports).toEqual([
    { message: 'finding', increment: 0 },
    { message: 'reading', increment: 25 },
    { message: 'reading', increment: 75 },
    { message: 'reading anew', increment: 0 },
    { message: 'answering', increment: 0 },
  ]);
});
