// What all dashboards have in common: pickers, links to the others, times, and the grid.
import { DATASOURCE } from './panels';
import type { Dashboard, Draft, Panel, Row } from './types';

type Variable = NonNullable<NonNullable<Dashboard['templating']>['list']>[number];

const GRID_COLUMNS = 24;
const TAG = 'resource_exporter';

const ON_LOAD_AND_RANGE = 2;
const ALPHABETICAL = 1;

function datasource(): Variable {
  return {
    current: { text: '', value: '' },
    hide: 0,
    includeAll: false,
    label: 'Data source',
    multi: false,
    name: 'datasource',
    options: [],
    query: 'prometheus',
    refresh: 1,
    regex: '',
    type: 'datasource',
  };
}

export interface Picker {
  name: string;
  label: string;
  /** The family and its matchers that have the label. */
  family: string;
  of: string;
  /** Several at once, and all of them at first. */
  all?: boolean;
  several?: boolean;
}

function picker({ name, label, family, of, all = false, several = true }: Picker): Variable {
  return {
    ...(several ? { allValue: '.+' } : {}),
    ...(all ? { current: { selected: true, text: ['All'], value: ['$__all'] } } : {}),
    datasource: DATASOURCE,
    hide: 0,
    includeAll: all,
    label,
    multi: several,
    name,
    options: [],
    query: `label_values(${family}, ${of})`,
    refresh: ON_LOAD_AND_RANGE,
    regex: '',
    sort: ALPHABETICAL,
    type: 'query',
  };
}

/** Panels side by side, of one height; each with its width, or the widths are equal. */
export interface Line {
  height: number;
  panels: Draft[];
  widths?: number[];
}

export interface Section {
  title: string;
  lines: Line[];
}

/** Of the jobs and instances that have the family. */
export function jobAndInstance(family: string, all: boolean): Picker[] {
  const ofJob = family.endsWith('}')
    ? `${family.slice(0, -1)},job=~"$job"}`
    : `${family}{job=~"$job"}`;
  return [
    { name: 'job', label: 'Job', family, of: 'job', all: true },
    { name: 'instance', label: 'Instance', family: ofJob, of: 'instance', all },
  ];
}

export interface Content {
  uid: string;
  title: string;
  description: string;
  pickers: Picker[];
  sections: Section[];
}

function laidOut(sections: Section[]): (Panel | Row)[] {
  const panels: (Panel | Row)[] = [];
  let y = 0;
  for (const { title, lines } of sections) {
    const gridPos = { h: 1, w: GRID_COLUMNS, x: 0, y };
    panels.push({
      collapsed: false,
      gridPos,
      id: panels.length + 1,
      panels: [],
      title,
      type: 'row',
    });
    y += 1;
    for (const { height, panels: drafts, widths } of lines) {
      let x = 0;
      drafts.forEach((draft, index) => {
        const w = widths?.[index] ?? GRID_COLUMNS / drafts.length;
        panels.push({ ...draft, gridPos: { h: height, w, x, y }, id: panels.length + 1 });
        x += w;
      });
      y += height;
    }
  }
  return panels;
}

export function dashboard({ uid, title, description, pickers, sections }: Content): Dashboard {
  return {
    annotations: { list: [] },
    description,
    editable: false,
    fiscalYearStartMonth: 0,
    graphTooltip: 1,
    id: null,
    links: [
      {
        asDropdown: false,
        icon: 'external link',
        includeVars: true,
        keepTime: true,
        tags: [TAG],
        targetBlank: false,
        title: '',
        tooltip: '',
        type: 'dashboards',
      },
    ],
    panels: laidOut(sections),
    refresh: '5m',
    schemaVersion: 41,
    tags: [TAG],
    templating: { list: [datasource(), ...pickers.map(picker)] },
    time: { from: 'now-24h', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    title,
    uid,
    version: 1,
  };
}
