// One function for each kind of panel, so that all of a kind look alike. Every panel has a title, a
// description, a unit and queries; the rest is decided here.
import type { DraftOf, Override, Query, Threshold } from './types';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

/** Longest hole in a line that is bridged, in ms: two failed scrapes, but no outage. */
const BRIDGED_MS = 900_000;

export interface Asked {
  expr: string;
  legend?: string;
  /** Of a job that is not scraped every 5 minutes, or for columns that do not overlap. */
  interval?: string;
}

export interface Looks {
  unit: string;
  min?: number;
  max?: number;
  decimals?: number;
  thresholds?: Threshold[];
  /** What a value is called instead of its number. */
  names?: Record<string, { text: string; color: string }>;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

export function target(asked: Asked, index: number, form: Partial<Query>): Query {
  return {
    datasource: DATASOURCE,
    editorMode: 'code',
    expr: asked.expr,
    format: 'time_series',
    instant: false,
    ...(asked.interval === undefined ? {} : { interval: asked.interval }),
    legendFormat: asked.legend ?? '',
    range: true,
    refId: LETTERS[index],
    ...form,
  };
}

export const AT_THE_END: Partial<Query> = { instant: true, range: false };

/** Good until `warning`, bad from `critical` on; the other way round where less is worse. */
export function above(warning: number, critical: number): Threshold[] {
  return [
    { color: 'green', value: null },
    { color: 'orange', value: warning },
    { color: 'red', value: critical },
  ];
}

export function below(warning: number, critical: number): Threshold[] {
  return [
    { color: 'red', value: null },
    { color: 'orange', value: critical },
    { color: 'green', value: warning },
  ];
}

/** Good only below it. */
export function under(limit: number): Threshold[] {
  return [
    { color: 'green', value: null },
    { color: 'red', value: limit },
  ];
}

const UNJUDGED: Threshold[] = [{ color: 'text', value: null }];

export function defaults({ unit, min, max, decimals, thresholds, names }: Looks) {
  const options = Object.entries(names ?? {}).map(([value, name], index) => [
    value,
    { ...name, index },
  ]);
  return {
    unit,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(decimals === undefined ? {} : { decimals }),
    thresholds: { mode: 'absolute' as const, steps: thresholds ?? UNJUDGED },
    mappings:
      options.length === 0
        ? []
        : [{ type: 'value' as const, options: Object.fromEntries(options) }],
  };
}

export function frame<Kind extends string>(type: Kind, title: string, description: string) {
  return { type, title, description, datasource: DATASOURCE, transparent: false };
}

export interface Lines extends Looks {
  stacked?: boolean;
  bars?: boolean;
  /** The legend beside the lines, as a table, where there are many. */
  many?: boolean;
  /** Up to where the axis goes at least. */
  upTo?: number;
  /** Legends that match are drawn below the axis. */
  mirrored?: string;
  /** Legends that match are dashed: what others are compared with. */
  dashed?: string;
}

function matching(pattern: string, property: string, value: unknown): Override {
  return {
    matcher: { id: 'byRegexp', options: `/${pattern}/` },
    properties: [{ id: property, value }],
  };
}

function lineStyle(lines: Lines) {
  return {
    ...(lines.upTo === undefined ? {} : { axisSoftMax: lines.upTo }),
    drawStyle: lines.bars ? ('bars' as const) : ('line' as const),
    fillOpacity: lines.stacked ? 40 : lines.bars ? 80 : 5,
    lineInterpolation: 'linear' as const,
    lineWidth: 1,
    pointSize: 4,
    showPoints: 'auto' as const,
    spanNulls: BRIDGED_MS,
    stacking: { group: 'A', mode: lines.stacked ? ('normal' as const) : ('none' as const) },
    thresholdsStyle: { mode: lines.thresholds ? ('dashed' as const) : ('off' as const) },
  };
}

/** Values over time. */
export function lines(title: string, description: string, looks: Lines, asked: Asked[]) {
  const panel: DraftOf<'timeseries'> = {
    ...frame('timeseries', title, description),
    fieldConfig: {
      defaults: {
        ...defaults(looks),
        color: { mode: 'palette-classic' },
        custom: lineStyle(looks),
      },
      overrides: [
        ...(looks.mirrored ? [matching(looks.mirrored, 'custom.transform', 'negative-Y')] : []),
        ...(looks.dashed
          ? [matching(looks.dashed, 'custom.lineStyle', { fill: 'dash', dash: [8, 6] })]
          : []),
      ],
    },
    options: {
      legend: {
        calcs: looks.many ? ['max'] : [],
        displayMode: looks.many ? 'table' : 'list',
        placement: looks.many ? 'right' : 'bottom',
        showLegend: true,
        ...(looks.many ? { sortBy: 'Max', sortDesc: true } : {}),
      },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: asked.map((query, index) => target(query, index, {})),
  };
  return panel;
}

/** One number, or one per instance: how it is at the end of the shown time. */
export function number(title: string, description: string, looks: Looks, asked: Asked) {
  const panel: DraftOf<'stat'> = {
    ...frame('stat', title, description),
    fieldConfig: {
      defaults: { ...defaults(looks), color: { mode: 'thresholds' } },
      overrides: [],
    },
    options: {
      colorMode: 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      percentChangeColorMode: 'standard',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: 'auto',
      wideLayout: true,
    },
    targets: [target({ legend: '{{instance}}', ...asked }, 0, AT_THE_END)],
  };
  return panel;
}

/** How often values fell into each bucket of a histogram, over time. `asked` is by le. */
export function heatmap(title: string, description: string, unit: string, asked: Asked) {
  const panel: DraftOf<'heatmap'> = {
    ...frame('heatmap', title, description),
    fieldConfig: {
      defaults: { custom: { scaleDistribution: { type: 'linear' } }, unit },
      overrides: [],
    },
    options: {
      calculate: false,
      cellGap: 1,
      cellValues: { decimals: 0, unit: 'short' },
      color: {
        exponent: 0.4,
        fill: 'dark-orange',
        mode: 'scheme',
        reverse: false,
        scale: 'exponential',
        scheme: 'Oranges',
        steps: 64,
      },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: 'le' },
      showValue: 'never',
      tooltip: { mode: 'single', showColorScale: true, yHistogram: true },
      yAxis: { axisPlacement: 'left', reverse: false, unit },
    },
    targets: [target({ legend: '{{le}}', ...asked }, 0, { format: 'heatmap' })],
  };
  return panel;
}
