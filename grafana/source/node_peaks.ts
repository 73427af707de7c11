// The peaks that the exporter keeps for two of its windows, each with its time. One table for each
// unit.
import { above } from './panels';
import { latest, named } from './promql';
import { table } from './tables';

function peaksOf(parts: Record<string, [family: string, matchers?: string]>, timestamp: boolean) {
  const expressions = Object.entries(parts).map(([name, [family, matchers]]): [string, string] => [
    name,
    latest(timestamp ? `${family}_timestamp_seconds` : family, matchers),
  ]);
  return named('signal', Object.fromEntries(expressions));
}

function peakTable(
  title: string,
  what: string,
  unit: string,
  parts: Record<string, [family: string, matchers?: string]>,
  labels: Record<string, string> = {},
) {
  const by = ['instance', 'signal', ...Object.keys(labels)].join(', ');
  const coloured = unit === 'percentunit';
  return table(
    title,
    `${what} Of the last two windows of the exporter, 5 minutes each unless told otherwise.`,
    {
      labels: { signal: 'Signal', ...labels },
      more: { instance: 'Instance' },
      columns: [
        {
          name: 'Peak',
          expr: `max by (${by}) (${peaksOf(parts, false)})`,
          unit,
          decimals: 1,
          coloured,
          ...(coloured ? { thresholds: above(0.9, 0.99) } : {}),
        },
        {
          name: 'When',
          expr: `1000 * max by (${by}) (${peaksOf(parts, true)})`,
          unit: 'dateTimeAsIso',
        },
      ],
      sortedBy: 'Peak',
    },
  );
}

const SHARES = peakTable('Peaks: shares', 'The worst second of each signal.', 'percentunit', {
  'CPUs busy': ['host_cpu_busy_ratio_peak'],
  'Busiest CPU': ['host_cpu_busiest_ratio_peak'],
  'CPUs wait for I/O': ['host_cpu_iowait_ratio_peak'],
  'CPUs stolen': ['host_cpu_steal_ratio_peak'],
  'Memory used': ['host_memory_used_ratio_peak'],
  'Some wait for CPU': ['host_pressure_ratio_peak', 'resource="cpu",kind="some"'],
  'Some wait for memory': ['host_pressure_ratio_peak', 'resource="memory",kind="some"'],
  'All wait for memory': ['host_pressure_ratio_peak', 'resource="memory",kind="full"'],
  'Some wait for I/O': ['host_pressure_ratio_peak', 'resource="io",kind="some"'],
  'All wait for I/O': ['host_pressure_ratio_peak', 'resource="io",kind="full"'],
});

const COUNTS = peakTable('Peaks: tasks and events', 'The highest second of each signal.', 'short', {
  'Runnable tasks': ['host_tasks_runnable_peak'],
  'Tasks that wait for I/O': ['host_tasks_blocked_peak'],
  'Context switches/s': ['host_context_switches_per_second_peak'],
  'Tasks made/s': ['host_forks_per_second_peak'],
  'Major faults/s': ['host_major_faults_per_second_peak'],
  'Pages swapped in/s': ['host_swap_in_pages_per_second_peak'],
  'Pages swapped out/s': ['host_swap_out_pages_per_second_peak'],
});

const BYTES = peakTable(
  'Peaks: bytes a second',
  'The highest second of each device.',
  'Bps',
  {
    read: ['host_disk_read_bytes_per_second_peak'],
    written: ['host_disk_written_bytes_per_second_peak'],
    received: ['host_network_receive_bytes_per_second_peak'],
    sent: ['host_network_transmit_bytes_per_second_peak'],
  },
  { device: 'Device' },
);

export const peaks = [SHARES, COUNTS, BYTES];
