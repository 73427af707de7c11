// What the processes of hosts do, by group, those that came and went between two scrapes included.
import { type Content, type Line, jobAndInstance } from './dashboard';
import { counted, overall, wholeIncrease, wholeRate } from './newcomers';
import { type Asked, type Lines, lines, number, under } from './panels';
import { family, highest, increase, largest, latest } from './promql';
import { table } from './tables';
import type { Draft } from './types';

const GROUP = 'groupname=~"$group"';
const BY = 'job, instance, groupname';
const SHOWN = 10;
const LEGEND = '{{instance}} {{groupname}}';

const sum = (expr: string) => `sum by (${BY}) (${expr})`;
const max = (expr: string) => `max by (${BY}) (${expr})`;

/** The groups with the largest counters: the same ones at each moment of the time shown. */
function busiest(metric: string, more = ''): string {
  const matchers = [GROUP, more].filter((matcher) => matcher !== '').join(',');
  const selector = family(metric, matchers);
  return largest(SHOWN, sum(wholeRate(selector)), sum(overall(selector)));
}

/** The groups with the largest gauges. */
function tallest(metric: string, more = ''): string {
  const matchers = [GROUP, more].filter((matcher) => matcher !== '').join(',');
  return largest(
    SHOWN,
    max(highest(metric, matchers)),
    max(`max_over_time(${family(metric, matchers)}[$__range] @ end())`),
  );
}

function groups(title: string, description: string, looks: Lines, asked: string | Asked[]) {
  const queries = typeof asked === 'string' ? [{ expr: asked, legend: LEGEND }] : asked;
  return lines(title, `${description} The ${SHOWN} groups that had most.`, looks, queries);
}

const many = { min: 0, many: true };

const cpu = [
  groups(
    'CPU',
    'CPUs that each group kept busy, mean of 20 minutes or more, its processes that ended ' +
      'included.',
    { unit: 'short', ...many },
    busiest('namedprocess_namegroup_cpu_seconds_total'),
  ),
  groups(
    'CPU: the highest second',
    'CPUs that each group kept busy from one sample to the next, when these were most.',
    { unit: 'short', ...many },
    tallest('host_process_group_cpu_cores_peak'),
  ),
  groups(
    'Waiting for a CPU',
    'Seconds a second that threads of each group could have run but had no CPU.',
    { unit: 'short', ...many },
    busiest('host_process_group_cpu_delay_seconds_total'),
  ),
];

const memory = [
  groups(
    'Memory',
    'Resident memory of each group; pages that processes share count for each.',
    { unit: 'bytes', ...many },
    tallest('namedprocess_namegroup_memory_bytes', 'memtype="resident"'),
  ),
  groups(
    'Memory: the largest process',
    "The most that one process of each group had resident, by the kernel's high-water mark.",
    { unit: 'bytes', ...many },
    tallest('host_process_group_memory_peak_bytes'),
  ),
];

const io = [
  groups(
    'Reads from storage',
    'Bytes a second that had to be fetched from storage.',
    { unit: 'Bps', ...many },
    busiest('namedprocess_namegroup_read_bytes_total'),
  ),
  groups(
    'Writes to storage',
    'Bytes a second that are bound for storage.',
    { unit: 'Bps', ...many },
    busiest('namedprocess_namegroup_write_bytes_total'),
  ),
  groups(
    'Major page faults',
    'Faults a second that had to wait for storage.',
    { unit: 'cps', ...many },
    busiest('namedprocess_namegroup_major_page_faults_total'),
  ),
  groups(
    'Open file descriptors',
    'Of those processes that the exporter may look at.',
    { unit: 'short', ...many },
    tallest('namedprocess_namegroup_open_filedesc'),
  ),
];

const lives = [
  groups(
    'Starts',
    'Processes of each group that started, per second.',
    { unit: 'cps', ...many },
    busiest('host_process_started_total'),
  ),
  lines(
    'Exits by reason',
    'Processes that ended, per second: with 0, with an error, by a signal, or killed for memory.',
    { unit: 'cps', min: 0, stacked: true },
    [
      {
        expr: `sum by (reason) (${wholeRate(family('host_process_exited_total', GROUP))})`,
        legend: '{{reason}}',
      },
    ],
  ),
  groups(
    'Exits that were no success',
    'Processes of each group that ended with an error, by a signal or for want of memory, per ' +
      'second.',
    { unit: 'cps', ...many },
    busiest('host_process_exited_total', 'reason!="normal"'),
  ),
];

const members = [
  groups(
    'Processes',
    'How many there are in each group.',
    { unit: 'short', ...many },
    tallest('namedprocess_namegroup_num_procs'),
  ),
  groups(
    'Threads',
    'How many the processes of each group have.',
    { unit: 'short', ...many },
    tallest('namedprocess_namegroup_num_threads'),
  ),
  lines(
    'States',
    'Processes by the state of their main thread, when scraped.',
    { unit: 'short', min: 0, stacked: true },
    [
      {
        expr: `sum by (state) (${latest('namedprocess_namegroup_states', GROUP)})`,
        legend: '{{state}}',
      },
    ],
  ),
];

function topOf(title: string, description: string, metric: string, name: string, unit: string) {
  return table(title, description, {
    labels: { comm: 'Process' },
    more: { pid: 'PID', user: 'User', instance: 'Instance', cgroup: 'Control group' },
    columns: [
      {
        name,
        expr: `max by (comm, pid, user, cgroup, instance) (${latest(metric)})`,
        unit,
        decimals: 1,
      },
    ],
    sortedBy: name,
  });
}

const top = [
  topOf(
    'Who used most CPU time of late',
    "In the exporter's window before the last scrape, those that are gone included.",
    'host_top_process_cpu_seconds',
    'CPU time',
    's',
  ),
  topOf(
    'Who had most memory of late',
    "The most that was resident in the exporter's window, those that are gone included.",
    'host_top_process_memory_bytes',
    'Memory',
    'bytes',
  ),
];

const now = [
  number(
    'Processes',
    'Of the groups picked, when last scraped.',
    { unit: 'short', decimals: 0 },
    { expr: `sum(${latest('namedprocess_namegroup_num_procs', GROUP)})` },
  ),
  number(
    'Started',
    'Processes of the groups picked that started in the time shown.',
    { unit: 'short', decimals: 0 },
    { expr: counted(family('host_process_started_total', GROUP)) },
  ),
  number(
    'Ended with an error or by a signal',
    'Of the groups picked, in the time shown.',
    { unit: 'short', decimals: 0 },
    { expr: counted(family('host_process_exited_total', `${GROUP},reason=~"error|signal"`)) },
  ),
  number(
    'Killed for memory',
    'Of the groups picked, in the time shown.',
    {
      unit: 'short',
      decimals: 0,
      thresholds: under(0.5),
    },
    { expr: counted(family('host_process_exited_total', `${GROUP},reason="oom"`)) },
  ),
  number(
    'CPU time of nobody',
    'Share of the CPU time shown that no source told whose it was: what the groups leave out.',
    { unit: 'percentunit', decimals: 2, min: 0, max: 1 },
    {
      expr:
        `sum(${increase('host_process_unattributed_cpu_seconds_total', '$__range')})` +
        ` / sum(${increase('node_cpu_seconds_total', '$__range', 'mode!~"idle|iowait"')})`,
    },
  ),
];

const source = lines(
  'How exits are known',
  'Where the last values of processes that end come from: BPF is exact, taskstats nearly, their ' +
    'parents tell sums only. 1 is the one in use.',
  { unit: 'short', min: 0, max: 1, decimals: 0 },
  [{ expr: latest('host_process_exit_source'), legend: '{{instance}} {{source}}' }],
);

const cores = lines(
  'CPUs in use, 1 % of the time',
  'CPUs that each group had busy or more in 1 % of the samples of 20 minutes, from its histogram.',
  { unit: 'short', ...many },
  [
    {
      expr: largest(
        SHOWN,
        `histogram_quantile(0.99, sum by (${BY}, le) (` +
          `${wholeIncrease(
            family('host_process_group_cpu_cores_bucket', GROUP),
            '$__rate_interval',
          )}))`,
        sum(overall(family('host_process_group_cpu_cores_sum', GROUP))),
      ),
      legend: LEGEND,
    },
  ],
);

function inPairs(panels: Draft[]): Line[] {
  return panels.flatMap((_, index) =>
    index % 2 === 0 ? [{ height: 9, panels: panels.slice(index, index + 2) }] : [],
  );
}

export const processes: Content = {
  uid: 'resource-processes',
  title: 'Processes',
  description:
    'What the processes of hosts do, by group, also those that live between two scrapes.',
  pickers: [
    ...jobAndInstance('namedprocess_namegroup_num_procs', false),
    {
      name: 'group',
      label: 'Group',
      family: 'namedprocess_namegroup_num_procs{job=~"$job",instance=~"$instance"}',
      of: 'groupname',
      all: true,
    },
  ],
  sections: [
    { title: 'In the time shown', lines: [{ height: 4, panels: now, widths: [5, 5, 5, 4, 5] }] },
    { title: 'The last window', lines: [{ height: 10, panels: top }] },
    { title: 'CPU', lines: inPairs([...cpu, cores]) },
    { title: 'Memory', lines: inPairs(memory) },
    { title: 'Files and storage', lines: inPairs(io) },
    { title: 'Starts and exits', lines: inPairs([...lives, source]) },
    { title: 'Members', lines: [{ height: 9, panels: members }] },
  ],
};
