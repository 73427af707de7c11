// Panels of instant queries that are joined by the labels they have in common: each query is a
// column of a table, or a set of bars.
import { AT_THE_END, type Looks, defaults, frame, target } from './panels';
import type { DraftOf, Override } from './types';

export interface Column extends Looks {
  name: string;
  expr: string;
  /** The value colours its cell. */
  coloured?: boolean;
}

export interface Table {
  /** Headings of the labels that make a row: those before the columns, and those behind them. */
  labels: Record<string, string>;
  more: Record<string, string>;
  /** How wide columns of labels are at least, by heading, where their values are long. */
  widths?: Record<string, number>;
  columns: Column[];
  /** The heading of the column by which rows are in order, the largest at the top. */
  sortedBy: string;
  /** Where a click on a label leads, by heading. */
  links?: Record<string, { title: string; url: string }>;
}

// Of any column, in pixels.
const LEAST_WIDTH = 60;
// Of columns with values that are long, such as "a few seconds ago", by unit.
const LEAST_WIDTHS: Record<string, number> = {
  Bps: 90,
  dateTimeAsIsoNoDateIfToday: 80,
  dateTimeFromNow: 140,
};

/** Room for the heading and the sign to filter by. A table that is too wide for its place scrolls. */
function leastWidth(heading: string, ofValues = 0) {
  return {
    id: 'custom.minWidth',
    value: Math.max(LEAST_WIDTH, 8 * heading.length + 24, ofValues),
  };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Joins the answers, in the order of the columns. A single one has its value named otherwise. */
function joined(
  labels: Record<string, string>,
  columns: { name: string }[],
  more: Record<string, string> = {},
) {
  const values = columns.map(({ name }, index): [string, string] => [
    columns.length === 1 ? 'Value' : `Value #${LETTERS[index]}`,
    name,
  ]);
  const headings = [...Object.entries(labels), ...values, ...Object.entries(more)];
  return [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        includeByName: {},
        indexByName: Object.fromEntries(headings.map(([field], index) => [field, index])),
        renameByName: Object.fromEntries(headings),
      },
    },
  ];
}

function columnStyle(column: Column): Override {
  const { unit, min, max, decimals, thresholds, mappings } = defaults(column);
  const given = { unit, min, max, decimals, thresholds, mappings };
  const properties: Override['properties'] = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([id, value]) => ({ id, value }));
  if (column.coloured) {
    properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  }
  properties.push(leastWidth(column.name, LEAST_WIDTHS[column.unit]));
  return { matcher: { id: 'byName', options: column.name }, properties };
}

export function table(title: string, description: string, rows: Table): DraftOf<'table'> {
  const linked = Object.entries(rows.links ?? {}).map(
    ([heading, link]): Override => ({
      matcher: { id: 'byName', options: heading },
      properties: [{ id: 'links', value: [link] }],
    }),
  );
  const wide = Object.values({ ...rows.labels, ...rows.more }).map(
    (heading): Override => ({
      matcher: { id: 'byName', options: heading },
      properties: [leastWidth(heading, rows.widths?.[heading])],
    }),
  );
  return {
    ...frame('table', title, description),
    fieldConfig: {
      defaults: {
        ...defaults({ unit: 'none' }),
        color: { mode: 'thresholds' },
        custom: {
          align: 'auto',
          cellOptions: { type: 'auto' },
          filterable: true,
          inspect: false,
          minWidth: LEAST_WIDTH,
        },
      },
      overrides: [...rows.columns.map(columnStyle), ...wide, ...linked],
    },
    options: {
      cellHeight: 'sm',
      footer: { countRows: false, fields: [], reducer: [], show: false },
      frameIndex: 0,
      showHeader: true,
      sortBy: [{ desc: true, displayName: rows.sortedBy }],
    },
    targets: rows.columns.map((column, index) =>
      target(column, index, { ...AT_THE_END, format: 'table' }),
    ),
    transformations: joined(rows.labels, rows.columns, rows.more),
  };
}

export interface Bars extends Looks {
  /** The label whose values stand below the bars, and its heading. */
  label: string;
  heading: string;
  sets: { name: string; expr: string }[];
}

export function bars(title: string, description: string, looks: Bars): DraftOf<'barchart'> {
  return {
    ...frame('barchart', title, description),
    fieldConfig: {
      defaults: {
        ...defaults(looks),
        color: { mode: 'palette-classic' },
        custom: { fillOpacity: 80, lineWidth: 1 },
      },
      overrides: [],
    },
    options: {
      barWidth: 0.95,
      fullHighlight: false,
      groupWidth: 0.8,
      legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
      orientation: 'auto',
      showValue: 'never',
      stacking: 'none',
      tooltip: { mode: 'multi', sort: 'none' },
      xField: looks.heading,
      xTickLabelMaxLength: 20,
      xTickLabelRotation: 0,
    },
    targets: looks.sets.map((set, index) => target(set, index, { ...AT_THE_END, format: 'table' })),
    transformations: [
      ...joined({ [looks.label]: looks.heading }, looks.sets),
      { id: 'sortBy', options: { fields: {}, sort: [{ field: looks.heading }] } },
    ],
  };
}
