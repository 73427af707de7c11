// One host: how it is, and what happened between two looks of Prometheus.
import { type Content, jobAndInstance } from './dashboard';
import { NODE_UID } from './links';
import { disks, memory, network, pressure, record as recordKept } from './node_devices';
import { peaks } from './node_peaks';
import { above, below, heatmap, lines, number } from './panels';
import { family, growth, increase, latest, rate, record } from './promql';

const share = { unit: 'percentunit', min: 0, max: 1 };
const BY_HOST = '{{instance}}';

const NOW = [
  number(
    'Busiest second',
    'Busy share of all CPUs in the busiest second of the last scrapes.',
    { ...share, decimals: 0, thresholds: above(0.9, 1) },
    { expr: record('instance:host_cpu_busy_ratio_peak:last16m') },
  ),
  number(
    'When',
    'When the busiest second was.',
    { unit: 'dateTimeFromNow' },
    { expr: `1000 * ${record('instance:host_cpu_busy_ratio_peak_timestamp_seconds:last16m')}` },
  ),
  number(
    'CPU over 90 %',
    'Share of the last 20 minutes in which all CPUs together were over 90 % busy.',
    { ...share, decimals: 1, thresholds: above(0.2, 0.5) },
    { expr: record('instance:host_cpu_busy_above_90_percent:ratio20m') },
  ),
  number(
    'Memory left',
    'Available memory in the tightest second of the last scrapes, as a share of all.',
    { ...share, decimals: 0, thresholds: below(0.1, 0.02) },
    { expr: record('instance:host_memory_headroom_ratio:min16m') },
  ),
  number(
    'Stalled on memory',
    'Share of the last 20 minutes in which every task waited for memory.',
    { ...share, decimals: 1, thresholds: above(0.01, 0.05) },
    {
      expr: record(
        'instance_resource_kind:host_pressure_ratio:mean20m',
        'resource="memory",kind="full"',
      ),
    },
  ),
  number(
    'OOM kills',
    'Processes that the kernel killed for memory, in the time shown.',
    { unit: 'short', decimals: 0, thresholds: above(0.5, 5) },
    { expr: increase('host_oom_kills_total', '$__range') },
  ),
  number(
    'Seconds recorded',
    'Share of the seconds of the last 20 minutes that the exporter sampled. Less than all, and ' +
      'peaks may be missing.',
    { ...share, decimals: 1, thresholds: below(0.99, 0.9) },
    { expr: record('instance:host_seconds_sampled:ratio20m') },
  ),
  number(
    'Running for',
    'Time since the host was booted.',
    { unit: 's', decimals: 0 },
    { expr: `${latest('node_time_seconds')} - ${latest('node_boot_time_seconds')}` },
  ),
];

const SECONDS = heatmap(
  'Every second of the CPUs',
  'Each column is 20 minutes, or more in a long range; its colours say how many of its seconds' +
    ' had all CPUs that busy. A burst of a few seconds is a faint cell high up. Buckets end at ' +
    'the values shown; several hosts are added up.',
  'percentunit',
  {
    expr: `sum by (le) ${growth(family('host_cpu_busy_ratio_bucket'))}`,
    interval: '20m',
  },
);

const CPU = [
  lines(
    'CPU: mean, and what it hides',
    'Busy share of all CPUs: the mean of 20 minutes, which is all that counters tell, the ' +
      'value that 1 % of the seconds were above, and the busiest second.',
    share,
    [
      {
        expr: record('instance:host_cpu_busy_ratio_peak:last16m'),
        legend: `${BY_HOST} busiest second`,
      },
      { expr: record('instance:host_cpu_busy_ratio:p99_20m'), legend: `${BY_HOST} p99` },
      { expr: record('instance:host_cpu_busy_ratio:mean20m'), legend: `${BY_HOST} mean` },
    ],
  ),
  lines(
    'CPU time by mode',
    'Share of all CPUs that each mode took, mean of 20 minutes or more.',
    { ...share, stacked: true },
    [
      {
        expr: `avg by (mode) (${rate('node_cpu_seconds_total', 'mode!="idle"')})`,
        legend: '{{mode}}',
      },
    ],
  ),
  lines(
    'The busiest single CPU',
    'Busy share of whichever CPU was busiest, that 1 % of the seconds were above: 100 % on an ' +
      'idle host is a program that has one thread. Share of time over 90 % is that of all CPUs ' +
      'together.',
    share,
    [
      { expr: record('instance:host_cpu_busiest_ratio:p99_20m'), legend: `${BY_HOST} busiest CPU` },
      {
        expr: record('instance:host_cpu_busy_above_90_percent:ratio20m'),
        legend: `${BY_HOST} time with all over 90 %`,
      },
    ],
  ),
  lines(
    'Work queues',
    'Tasks that run or could run for each CPU, less the exporter, and tasks that wait for I/O;' +
      ' means of 20 minutes. Above 1 a CPU has a queue.',
    { unit: 'short', min: 0 },
    [
      {
        expr: record('instance:host_tasks_runnable_per_cpu:mean20m'),
        legend: `${BY_HOST} runnable per CPU`,
      },
      { expr: record('instance:host_tasks_blocked:mean20m'), legend: `${BY_HOST} wait for I/O` },
    ],
  ),
];

export const node: Content = {
  uid: NODE_UID,
  title: 'Node',
  description: 'One host: how it is, its last day, and what happened between two scrapes.',
  pickers: jobAndInstance('host_seconds_sampled_total', false),
  sections: [
    { title: 'Now', lines: [{ height: 4, panels: NOW }] },
    {
      title: 'Between two scrapes',
      lines: [
        { height: 9, panels: [SECONDS, CPU[0]] },
        { height: 11, panels: peaks, widths: [10, 7, 7] },
      ],
    },
    {
      title: 'CPU',
      lines: [{ height: 8, panels: CPU.slice(1), widths: [8, 8, 8] }],
    },
    { title: 'Pressure', lines: [{ height: 8, panels: pressure }] },
    { title: 'Memory', lines: [{ height: 8, panels: memory }] },
    { title: 'Disks', lines: [{ height: 8, panels: disks }] },
    { title: 'Network', lines: [{ height: 8, panels: network }] },
    { title: 'The record itself', lines: [{ height: 7, panels: recordKept }] },
  ],
};
