/** Pieces of SVG. Every text goes through `escaped`; nothing in them runs. */

export const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no place for them, escaped or not
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

const round = (value: number): number => Math.round(value * 10) / 10;

/** `fill="red" x="1"`, values escaped, numbers rounded to a tenth. */
function attributes(of: Readonly<Record<string, string | number>>): string {
  return Object.entries(of)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? round(value) : escaped(value)}"`)
    .join('');
}

export const element = (
  name: string,
  of: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string =>
  `<${name}${attributes(of)}${children.length === 0 ? '/' : ''}>${children.join('')}${children.length === 0 ? '' : `</${name}>`}`;

export const text = (
  x: number,
  y: number,
  words: string,
  kind = '',
  more: Readonly<Record<string, string>> = {},
): string => element('text', { x, y, ...(kind ? { class: kind } : {}), ...more }, escaped(words));

type Colour = 'ink' | 'dim' | 'line' | 'paper' | 'critical' | 'good' | 'going' | 'bad' | 'back' | 'rest';

const light: Readonly<Record<Colour, string>> = {
  ink: '#1f2328',
  dim: '#59636e',
  line: '#d1d9e0',
  paper: '#ffffff',
  critical: '#b35900',
  good: '#2da44e',
  going: '#0969da',
  bad: '#cf222e',
  back: '#8250df',
  rest: '#afb8c1',
};
const dark: Readonly<Record<Colour, string>> = {
  ink: '#f0f6fc',
  dim: '#9198a1',
  line: '#3d444d',
  paper: '#0d1117',
  critical: '#ffa657',
  good: '#3fb950',
  going: '#4493f8',
  bad: '#f85149',
  back: '#ab7df8',
  rest: '#656c76',
};

/** Written out for each palette: not everything that shows SVG knows variables. */
const colours = (of: Readonly<Record<Colour, string>>): string =>
  [
    `.paper{fill:${of.paper}} text{fill:${of.ink}} text.dim{fill:${of.dim}} text.strong{fill:${of.critical}}`,
    `.axis{stroke:${of.line}} .wait{stroke:${of.dim}} .path,.critical{stroke:${of.critical}}`,
    ...(['good', 'going', 'bad', 'back', 'rest'] as const).map((name) => `.${name}{fill:${of[name]}}`),
  ].join(' ');

const style = `
text{font:12px ui-sans-serif,system-ui,sans-serif} text.title{font-size:16px;font-weight:600} text.strong{font-weight:600}
.wait{stroke-dasharray:2 3} .path,.edge{fill:none} .path{stroke-width:1.5} .critical{stroke-width:2}
${colours(light)}
@media (prefers-color-scheme:dark){${colours(dark)}}
`;

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What is to be seen, for whoever does not see it. */
  readonly description: string;
}

/** A picture that stands by itself, with its title and description for whoever cannot see it. */
export const picture = ({ width, height, title, description }: Picture, ...content: readonly string[]): string =>
  `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}`,
      role: 'img',
      'aria-labelledby': 'title description',
    },
    element('title', { id: 'title' }, escaped(title)),
    element('desc', { id: 'description' }, escaped(description)),
    `<style>${style}</style>`,
    element('rect', { class: 'paper', width: '100%', height: '100%' }),
    ...content.map((part) => `\n${part}`),
  )}\n`;
