// The JSON of a dashboard as Grafana's own schema has it, so that tsc refuses what Grafana would
// swallow in silence. The schema leaves a panel's options and custom field settings open; here they
// are those of the panel's type, and nothing that a type does not know may stand in them.
import type * as schema from '@grafana/schema';
import type { barchart, heatmap, stat, table, timeseries } from './panel_types';

/** Enumerations as the strings that stand in JSON. */
export type Json<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Key in keyof T]: Json<T[Key]> }
      : T;

/** What a query of the Prometheus data source is saved as. */
export interface Query {
  datasource: { type: 'prometheus'; uid: '${datasource}' };
  editorMode: 'code';
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  /** The least step; the data source's interval where there is none. */
  interval?: string;
  legendFormat: string;
  range: boolean;
  refId: string;
}

export type Threshold = Json<schema.Threshold>;

export interface Override {
  matcher: { id: 'byName' | 'byRegexp'; options: string };
  properties: { id: string; value: unknown }[];
}

type Shape<Kind extends string, Options, Custom> = Json<
  Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>
> & {
  type: Kind;
  options: Json<Options>;
  fieldConfig: {
    defaults: Json<Omit<schema.FieldConfig, 'custom'>> & { custom?: Json<Custom> };
    overrides: Override[];
  };
  targets: Query[];
};

export type Panel =
  | Shape<'barchart', barchart.Options, barchart.FieldConfig>
  | Shape<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Shape<'stat', stat.Options, never>
  | Shape<'table', table.Options, Partial<table.FieldConfig>>
  | Shape<'timeseries', timeseries.Options, timeseries.FieldConfig>;

export type Row = Json<Omit<schema.RowPanel, 'panels'>> & { type: 'row'; panels: [] };

export type Dashboard = Json<Omit<schema.Dashboard, 'panels' | 'id'>> & {
  id: null;
  panels: (Panel | Row)[];
};

type Laid = 'id' | 'gridPos';
export type DraftOf<Kind extends Panel['type']> = Omit<Extract<Panel, { type: Kind }>, Laid>;
export type Draft = { [Kind in Panel['type']]: DraftOf<Kind> }[Panel['type']];
