// All hosts at a glance, those in trouble first.
import { type Content, jobAndInstance } from './dashboard';
import { NODE } from './links';
import { above, below, lines, number, under } from './panels';
import { family, highest, increase, latest, named, rate, record } from './promql';
import { type Column, table } from './tables';

const perHost = (expr: string) => `max by (job, instance) (${expr})`;

// Of jobs that have hosts: all jobs may be picked, and there are others.
const IS_UP =
  `(max_over_time(${family('up')}[11m]) and on (job) ` +
  `count by (job) (last_over_time(${family('host_seconds_sampled_total')}[1d])))`;
const MOST_BUSY_DISK = record('instance_device:host_disk_busy_above_95_percent:ratio20m');
const SATURATED = perHost(
  named('why', {
    down: `(1 - ${IS_UP})`,
    cpu: record('instance:host_cpu_busy_above_90_percent:ratio20m'),
    memory: record('instance:host_memory_used_above_95_percent:ratio20m'),
    stalled: record(
      'instance_resource_kind:host_pressure_ratio:mean20m',
      'resource="memory",kind="full"',
    ),
    disk: perHost(MOST_BUSY_DISK),
  }),
);

const PEAK_TIME = 'instance:host_cpu_busy_ratio_peak_timestamp_seconds:last16m';
const share = { unit: 'percentunit', min: 0, max: 1, decimals: 0 };
const coloured = (warning: number, critical: number) => ({
  thresholds: above(warning, critical),
  coloured: true,
});

const COLUMNS: Column[] = [
  { name: 'Saturated', expr: SATURATED, ...share, ...coloured(0.2, 0.5) },
  {
    name: 'Up',
    expr: perHost(IS_UP),
    unit: 'none',
    coloured: true,
    names: { 0: { text: 'down', color: 'red' }, 1: { text: 'up', color: 'green' } },
  },
  { name: 'CPU p99', expr: perHost(record('instance:host_cpu_busy_ratio:p99_20m')), ...share },
  {
    name: 'CPU over 90 %',
    expr: perHost(record('instance:host_cpu_busy_above_90_percent:ratio20m')),
    ...share,
    ...coloured(0.2, 0.5),
  },
  {
    name: 'Busiest second',
    expr: `1000 * ${perHost(record(PEAK_TIME))}`,
    unit: 'dateTimeFromNow',
  },
  {
    name: 'Memory left',
    expr: perHost(record('instance:host_memory_headroom_ratio:min16m')),
    ...share,
    thresholds: below(0.1, 0.02),
    coloured: true,
  },
  {
    name: 'Stalled on memory',
    expr: perHost(
      record('instance_resource_kind:host_pressure_ratio:mean20m', 'resource="memory",kind="full"'),
    ),
    ...share,
    decimals: 1,
    ...coloured(0.01, 0.05),
  },
  {
    name: 'Stalled on I/O',
    expr: perHost(
      record('instance_resource_kind:host_pressure_ratio:mean20m', 'resource="io",kind="full"'),
    ),
    ...share,
    decimals: 1,
    ...coloured(0.1, 0.3),
  },
  { name: 'Disk over 95 %', expr: perHost(MOST_BUSY_DISK), ...share, ...coloured(0.2, 0.5) },
  {
    name: 'Drops/s',
    expr: perHost(record('instance_device:host_network_drops_per_second:mean20m')),
    unit: 'short',
    decimals: 1,
    ...coloured(1, 10),
  },
  {
    name: 'OOM kills, 1 day',
    expr: perHost(increase('host_oom_kills_total', '1d')),
    unit: 'short',
    decimals: 0,
    ...coloured(0.5, 5),
  },
  {
    name: 'Seconds recorded',
    expr: perHost(record('instance:host_seconds_sampled:ratio20m')),
    ...share,
    thresholds: below(0.99, 0.9),
    coloured: true,
  },
  {
    name: 'Running for',
    expr: perHost(`${latest('node_time_seconds')} - ${latest('node_boot_time_seconds')}`),
    unit: 's',
    decimals: 0,
  },
];

const NOW = [
  number(
    'Hosts',
    'Targets that Prometheus knows of, up or not.',
    { unit: 'short' },
    {
      expr: `count(${IS_UP})`,
    },
  ),
  number(
    'Down',
    'Hosts whose last two scrapes failed. All else that is shown of them is old.',
    { unit: 'short', thresholds: under(1) },
    { expr: `count(${IS_UP}) - sum(${IS_UP})` },
  ),
  number(
    'Alerts firing',
    'Of these hosts, at the end of the time shown, from rules/.',
    { unit: 'short', thresholds: above(1, 5) },
    { expr: `count(${family('ALERTS', 'alertstate="firing"')}) or vector(0)` },
  ),
  number(
    'Worst CPU',
    'The largest share of the last 20 minutes in which all CPUs of a host were over 90 % busy.',
    { ...share, thresholds: above(0.2, 0.5) },
    { expr: `max(${record('instance:host_cpu_busy_above_90_percent:ratio20m')})` },
  ),
  number(
    'Least memory left',
    'Share of memory that was available in the tightest second of the last scrapes, of the ' +
      'worst host.',
    { ...share, thresholds: below(0.1, 0.02) },
    { expr: `min(${record('instance:host_memory_headroom_ratio:min16m')})` },
  ),
  number(
    'OOM kills',
    'Processes that the kernel killed for memory, in the time shown.',
    { unit: 'short', decimals: 0, thresholds: above(0.5, 5) },
    { expr: `sum(${increase('host_oom_kills_total', '$__range')})` },
  ),
];

const HOSTS = table(
  'Hosts',
  'Worst first. Saturated is the largest share of the last 20 minutes in which CPUs were over ' +
    '90 % busy, memory was over 95 % used, everything waited for memory, or a disk was over 95 %' +
    ' busy; a host that is down is at the top. Click on an instance to see it alone.',
  {
    labels: { instance: 'Instance' },
    more: { job: 'Job' },
    widths: { Instance: 130, Job: 170 },
    columns: COLUMNS,
    sortedBy: 'Saturated',
    links: { Instance: { title: 'See this host', url: NODE } },
  },
);

const OVER_TIME = [
  lines(
    'CPU: busiest seconds',
    'Busy share of all CPUs that 1 % of the seconds of 20 minutes were above.',
    { ...share, many: true },
    [{ expr: record('instance:host_cpu_busy_ratio:p99_20m'), legend: '{{instance}}' }],
  ),
  lines(
    'Memory left in the tightest second',
    'Available memory, as a share of all, when there was least of it.',
    { ...share, many: true },
    [{ expr: record('instance:host_memory_headroom_ratio:min16m'), legend: '{{instance}}' }],
  ),
  lines(
    'Everything waits: memory and I/O',
    'Share of the time in which no task could go on for want of memory, or of I/O.',
    { unit: 'percentunit', min: 0, upTo: 0.1, many: true },
    [
      {
        expr: record(
          'instance_resource_kind:host_pressure_ratio:mean20m',
          'resource=~"memory|io",kind="full"',
        ),
        legend: '{{instance}} {{resource}}',
      },
    ],
  ),
  lines(
    'Work queues for CPUs',
    'Tasks that run or could run for each CPU, less the exporter. Above 1 some of them wait.',
    { unit: 'short', min: 0, many: true },
    [{ expr: record('instance:host_tasks_runnable_per_cpu:mean20m'), legend: '{{instance}}' }],
  ),
  lines(
    'Network',
    'Bytes a second that came in (above the axis) and went out (below), all devices of a host.',
    { unit: 'Bps', many: true, mirrored: ' out$' },
    [
      {
        expr: `sum by (instance) (${rate('node_network_receive_bytes_total', 'device!="lo"')})`,
        legend: '{{instance}} in',
      },
      {
        expr: `sum by (instance) (${rate('node_network_transmit_bytes_total', 'device!="lo"')})`,
        legend: '{{instance}} out',
      },
    ],
  ),
  lines(
    'The busiest disk',
    'Share of its worst second in which the busiest disk of a host had a request in progress.',
    { ...share, many: true },
    [
      {
        expr: `max by (instance) (${highest('host_disk_busy_ratio_peak')})`,
        legend: '{{instance}}',
      },
    ],
  ),
];

export const fleet: Content = {
  uid: 'resource-fleet',
  title: 'Fleet',
  description: 'All hosts that run resource_exporter, those in trouble first.',
  pickers: jobAndInstance('host_seconds_sampled_total', true),
  sections: [
    {
      title: 'Now',
      lines: [
        { height: 4, panels: NOW },
        { height: 10, panels: [HOSTS] },
      ],
    },
    {
      title: 'Over time',
      lines: [
        { height: 8, panels: OVER_TIME.slice(0, 2) },
        { height: 8, panels: OVER_TIME.slice(2, 4) },
        { height: 8, panels: OVER_TIME.slice(4, 6) },
      ],
    },
  ],
};
