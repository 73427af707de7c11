// Prometheus' answers as the data frames that Grafana's components draw. What Grafana's server and
// panels would do in between stands here: names by legend, units and colours by field, overrides.
import {
  type DataFrame,
  type Field,
  FieldType,
  type GrafanaTheme2,
  cacheFieldDisplayNames,
  createDataFrame,
  getDisplayProcessor,
} from '@grafana/data';

export interface Series {
  metric: Record<string, string>;
  values?: [number, string][];
  value?: [number, string];
}

export interface Gathered {
  begin: number;
  end: number;
  factor: number;
  dashboard: { title: string; panels: any[] };
}

/** The clock of a picture: its end is that of the run, and before that it goes as much faster. */
export function clock({ end, factor }: Gathered) {
  return (seconds: number) => 1000 * (end - (end - seconds) * factor);
}

function legend(format: string, metric: Record<string, string>): string {
  return format.replace(/{{\s*(\w+)\s*}}/g, (_, label) => metric[label] ?? '') || 'Value';
}

function setProperty(config: any, id: string, value: unknown) {
  const path = id.split('.');
  const last = path.pop()!;
  const place = path.reduce((object, key) => (object[key] ??= {}), config);
  place[last] = value;
  if (id === 'thresholds') config.color = { mode: 'thresholds' };
}

function matches(matcher: { id: string; options: string }, name: string): boolean {
  return matcher.id === 'byName'
    ? matcher.options === name
    : new RegExp(matcher.options.slice(1, -1)).test(name);
}

/** The settings of a field of that name. */
function configOf(panel: any, name: string): any {
  const config = structuredClone(panel.fieldConfig.defaults);
  config.displayName = name;
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    if (matches(matcher, name)) {
      properties.forEach(({ id, value }: any) => setProperty(config, id, value));
    }
  }
  return config;
}

function withDisplay(field: Field, theme: GrafanaTheme2): Field {
  field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
  return field;
}

/** One frame, its first field the times of all series. */
export function overTime(panel: any, gathered: Gathered, theme: GrafanaTheme2): DataFrame[] {
  const toPicture = clock(gathered);
  const found = panel.targets.flatMap((target: any) =>
    (target.result as Series[]).map((series) => ({
      name: legend(target.legendFormat, series.metric),
      values: series.values ?? [],
    })),
  );
  const frames = found.map(({ name, values }: any, index: number) => {
    const config = configOf(panel, name);
    config.color = { mode: 'palette-classic' };
    const frame = createDataFrame({
      refId: String(index),
      fields: [
        {
          name: 'Time',
          type: FieldType.time,
          config: {},
          values: values.map((v: any) => toPicture(v[0])),
        },
        { name, type: FieldType.number, config, values: values.map((v: any) => Number(v[1])) },
      ],
    });
    frame.fields[1].state = { seriesIndex: index };
    frame.fields.forEach((field) => withDisplay(field, theme));
    return frame;
  });
  cacheFieldDisplayNames(frames);
  return frames;
}

/** Where the value is a moment, in ms. */
function moved(value: number, unit: string, gathered: Gathered): number {
  const moment = clock(gathered)(value / 1000);
  if (unit === 'dateTimeAsIso') return moment;
  // Relative to the browser's clock, not the picture's.
  return unit === 'dateTimeFromNow' ? Date.now() - (1000 * gathered.end - moment) : value;
}

/** The rows of joined answers: what the transformations merge and organize would make. */
export function joined(panel: any): { headings: string[]; rows: Record<string, any>[] } {
  const { renameByName } = panel.transformations.find((t: any) => t.id === 'organize').options;
  const labels = Object.keys(renameByName).filter((name) => !name.startsWith('Value'));
  const rows = new Map<string, Record<string, any>>();
  for (const target of panel.targets) {
    const value = panel.targets.length === 1 ? 'Value' : `Value #${target.refId}`;
    for (const series of target.result as Series[]) {
      const key = JSON.stringify(labels.map((label) => series.metric[label] ?? ''));
      const row = rows.get(key) ?? {};
      labels.forEach((label) => (row[renameByName[label]] = series.metric[label] ?? ''));
      row[renameByName[value]] = Number(series.value![1]);
      rows.set(key, row);
    }
  }
  return { headings: Object.values(renameByName), rows: [...rows.values()] };
}

// Of the machine that a picture is made on, not of what it shows.
const isShown = (heading: string) => heading !== 'Control group';

export function tableFrame(panel: any, gathered: Gathered, theme: GrafanaTheme2): DataFrame {
  const { headings, rows } = joined(panel);
  const [{ displayName }] = panel.options.sortBy;
  rows.sort((a, b) => (b[displayName] ?? -1) - (a[displayName] ?? -1));
  const frame = createDataFrame({
    fields: headings.filter(isShown).map((name) => {
      const config = configOf(panel, name);
      const isText = rows.every((row) => typeof row[name] !== 'number');
      const values = rows.map((row) =>
        typeof row[name] === 'number'
          ? moved(row[name], config.unit, gathered)
          : (row[name] ?? null),
      );
      delete config.links;
      return { name, type: isText ? FieldType.string : FieldType.number, config, values };
    }),
  });
  frame.fields.forEach((field) => withDisplay(field, theme));
  return frame;
}

/** What a stat panel shows: a value for each series. */
export function numbers(panel: any, gathered: Gathered, theme: GrafanaTheme2) {
  return (panel.targets[0].result as Series[]).map((series) => {
    const config = configOf(panel, '');
    const value = moved(Number(series.value![1]), config.unit, gathered);
    const field = withDisplay(
      { name: 'Value', type: FieldType.number, config, values: [value] } as Field,
      theme,
    );
    return field.display!(value);
  });
}
