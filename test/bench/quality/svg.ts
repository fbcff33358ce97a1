/** Plots as small SVG files: lines with marks, or bars with intervals. Readable on a light and on a dark page. */

export interface Series {
  readonly name: string;
  /** Rising x. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Ticks of the axes in their order; the first and the last are the ends. */
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  /** x by its logarithm. */
  readonly logarithmic: boolean;
  readonly tickText: (y: number) => string;
  readonly series: readonly Series[];
}

export interface Bars {
  readonly title: string;
  /** Ticks of the values' axis in their order; the first and the last are its ends. */
  readonly ticks: readonly number[];
  readonly tickText: (value: number) => string;
  readonly bars: readonly {
    readonly name: string;
    readonly low: number;
    readonly value: number;
    readonly high: number;
  }[];
}

const width = 560;
const height = 320;
const margin = { left: 56, right: 132, top: 34, bottom: 44 };
const colours = ['#8b8b8b', '#c07830', '#3b7dd8', '#8a5cc8', '#2c9a57', '#d0454c', '#4aa3a8', '#b0882a'];

/** What has the same name has the same colour in all plots. */
type ColourOf = (name: string) => string;

/** Plots below each other, as one file. */
export function svgOf(plots: readonly (Plot | Bars)[]): string {
  const names = plots.flatMap((plot) => ('bars' in plot ? plot.bars : plot.series).map(({ name }) => name));
  const order = [...new Set(names)];
  const colourOf = (name: string): string => colours[order.indexOf(name) % colours.length]!;
  let top = 0;
  const body = plots.map((plot) => {
    const [own, content] =
      'bars' in plot ? [barsHeight(plot), drawBars(plot, colourOf)] : [height, drawLines(plot, colourOf)];
    top += own;
    return `<g transform="translate(0 ${top - own})">\n${content}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}"`,
    ' font-family="system-ui, sans-serif" font-size="11" fill="#777">',
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

const barHeight = 24;

function barsHeight({ bars }: Bars): number {
  return margin.top + bars.length * barHeight + margin.bottom;
}

function drawBars({ title, ticks, tickText, bars }: Bars, colourOf: ColourOf): string {
  const [left, right] = [2 * margin.left, width - margin.left / 2];
  const bottom = margin.top + bars.length * barHeight;
  const [first, last] = [ticks[0]!, ticks.at(-1)!];
  const x = (value: number): number =>
    round(left + ((Math.min(last, Math.max(first, value)) - first) / (last - first)) * (right - left));
  return [
    text(margin.left / 2, 18, title, 'start', 13),
    ...ticks.flatMap((tick) => [
      `<path d="M${x(tick)} ${margin.top}V${bottom}" stroke="#9995" />`,
      text(x(tick), bottom + 16, tickText(tick), 'middle'),
    ]),
    ...bars.flatMap(({ name, low, value, high }, index) => {
      const middle = margin.top + (index + 0.5) * barHeight;
      const colour = colourOf(name);
      const [from, to] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))];
      return [
        text(left - 8, middle + 4, name, 'end'),
        `<path d="M${from} ${middle}H${to}" stroke="${colour}" stroke-width="12" />`,
        `<path d="M${x(low)} ${middle}H${x(high)}" stroke="#777" stroke-width="1.5" />`,
      ];
    }),
  ].join('\n');
}

function drawLines(
  { title, xLabel, yLabel, xTicks, yTicks, logarithmic, tickText, series }: Plot,
  colourOf: ColourOf,
): string {
  const scale = (value: number): number => (logarithmic ? Math.log(value) : value);
  const along = (value: number, ticks: readonly number[], of: (value: number) => number): number =>
    (of(value) - of(ticks[0]!)) / (of(ticks.at(-1)!) - of(ticks[0]!));
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const x = (value: number): number =>
    round(margin.left + along(value, xTicks, scale) * (right - margin.left));
  const y = (value: number): number => round(bottom - along(value, yTicks, Number) * (bottom - margin.top));
  return [
    text(margin.left, 18, title, 'start', 13),
    ...yTicks.flatMap((tick) => [
      `<path d="M${margin.left} ${y(tick)}H${right}" stroke="#9995" />`,
      text(margin.left - 6, y(tick) + 4, tickText(tick), 'end'),
    ]),
    ...xTicks.map((tick) => text(x(tick), bottom + 16, String(tick), 'middle')),
    text((margin.left + right) / 2, height - 8, xLabel, 'middle'),
    `<text transform="translate(12 ${(margin.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    ...series.flatMap(({ name, points }, index) => {
      const colour = colourOf(name);
      const path = points.map((point, i) => `${i === 0 ? 'M' : 'L'}${x(point.x)} ${y(point.y)}`).join('');
      const row = margin.top + 8 + index * 18;
      return [
        `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2" />`,
        ...points.map((point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3" fill="${colour}" />`),
        `<path d="M${right + 12} ${row}h14" stroke="${colour}" stroke-width="3" />`,
        text(right + 32, row + 4, name, 'start'),
      ];
    }),
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: string, size = 11): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
