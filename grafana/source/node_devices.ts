// A host's memory, disks and network, what waits for them, and how complete all of that is.
import { lines } from './panels';
import { family, growth, highest, latest, rate, record as recorded } from './promql';

const share = { unit: 'percentunit', min: 0, max: 1 };
const upward = { unit: 'percentunit', min: 0, upTo: 0.1 };

export const pressure = [
  lines(
    'Time spent waiting',
    'Share of the time in which some task, or every task, waited for a resource; mean of 20 ' +
      'minutes. For CPUs the kernel tells of some only.',
    upward,
    [
      {
        expr: recorded('instance_resource_kind:host_pressure_ratio:mean20m', 'kind="some"'),
        legend: '{{instance}} some wait for {{resource}}',
      },
      {
        expr: recorded(
          'instance_resource_kind:host_pressure_ratio:mean20m',
          'resource!="cpu",kind="full"',
        ),
        legend: '{{instance}} all wait for {{resource}}',
      },
    ],
  ),
  lines(
    'The worst second of waiting',
    'The same, of the second in which most time was lost.',
    share,
    [
      {
        expr: recorded('instance_resource_kind:host_pressure_ratio_peak:max16m', 'kind="some"'),
        legend: '{{instance}} some wait for {{resource}}',
      },
      {
        expr: recorded(
          'instance_resource_kind:host_pressure_ratio_peak:max16m',
          'resource!="cpu",kind="full"',
        ),
        legend: '{{instance}} all wait for {{resource}}',
      },
    ],
  ),
];

export const memory = [
  lines(
    'Memory left',
    'Available memory: when there was least of it, and when it was scraped. The gap is what ' +
      'scrapes alone do not show.',
    { unit: 'bytes', min: 0 },
    [
      {
        expr: `min_over_time(${family('host_memory_available_bytes_lowest')}[16m])`,
        legend: '{{instance}} in the tightest second',
      },
      { expr: latest('node_memory_MemAvailable_bytes'), legend: '{{instance}} when scraped' },
      { expr: latest('node_memory_MemTotal_bytes'), legend: '{{instance}} all there is' },
    ],
  ),
  lines(
    'Memory used',
    'Share of memory that is not available: mean and worst of the seconds of 20 minutes; and the ' +
      'share of that time in which it was over 95 %.',
    share,
    [
      { expr: recorded('instance:host_memory_used_ratio:max20m'), legend: '{{instance}} worst' },
      { expr: recorded('instance:host_memory_used_ratio:mean20m'), legend: '{{instance}} mean' },
      {
        expr: recorded('instance:host_memory_used_above_95_percent:ratio20m'),
        legend: '{{instance}} time over 95 %',
      },
    ],
  ),
  lines(
    'OOM kills',
    'Processes that the kernel killed for memory, in each column.',
    { unit: 'short', min: 0, decimals: 0, bars: true },
    [
      {
        expr: `sum by (instance) ${growth(family('host_oom_kills_total'))}`,
        interval: '20m',
        legend: '{{instance}}',
      },
    ],
  ),
];

export const disks = [
  lines(
    'Disks busy',
    'Share of a second with a request in progress, that 1 % of the seconds of 20 minutes were ' +
      'above; and the share of that time in which it was over 95 %.',
    share,
    [
      {
        expr: recorded('instance_device:host_disk_busy_ratio:p99_20m'),
        legend: '{{instance}} {{device}} p99',
      },
      {
        expr: recorded('instance_device:host_disk_busy_above_95_percent:ratio20m'),
        legend: '{{instance}} {{device}} time over 95 %',
      },
    ],
  ),
  lines(
    'Disk traffic',
    'Bytes read (above the axis) and written (below), mean of 20 minutes or more.',
    { unit: 'Bps', mirrored: ' written$' },
    [
      { expr: rate('node_disk_read_bytes_total'), legend: '{{instance}} {{device}} read' },
      { expr: rate('node_disk_written_bytes_total'), legend: '{{instance}} {{device}} written' },
    ],
  ),
  lines(
    'Disk traffic: the highest second',
    'Bytes read (above the axis) and written (below) in the second in which most were.',
    { unit: 'Bps', mirrored: ' written$' },
    [
      {
        expr: highest('host_disk_read_bytes_per_second_peak'),
        legend: '{{instance}} {{device}} read',
      },
      {
        expr: highest('host_disk_written_bytes_per_second_peak'),
        legend: '{{instance}} {{device}} written',
      },
    ],
  ),
];

export const network = [
  lines(
    'Network traffic',
    'Bytes received (above the axis) and sent (below), mean of 20 minutes or more.',
    { unit: 'Bps', mirrored: ' sent$' },
    [
      {
        expr: rate('node_network_receive_bytes_total'),
        legend: '{{instance}} {{device}} received',
      },
      { expr: rate('node_network_transmit_bytes_total'), legend: '{{instance}} {{device}} sent' },
    ],
  ),
  lines(
    'Network traffic: the highest second',
    'Bytes received (above the axis) and sent (below) in the second in which most were.',
    { unit: 'Bps', mirrored: ' sent$' },
    [
      {
        expr: recorded('instance_device:host_network_receive_bytes_per_second_peak:max16m'),
        legend: '{{instance}} {{device}} received',
      },
      {
        expr: recorded('instance_device:host_network_transmit_bytes_per_second_peak:max16m'),
        legend: '{{instance}} {{device}} sent',
      },
    ],
  ),
  lines(
    'Packets dropped',
    'Packets a second that a device dropped, on their way in or out: mean of 20 minutes, and the ' +
      'highest second.',
    { unit: 'pps', min: 0 },
    [
      {
        expr: recorded('instance_device:host_network_drops_per_second:mean20m'),
        legend: '{{instance}} {{device}} mean',
      },
      {
        expr: highest('host_network_drops_per_second_peak'),
        legend: '{{instance}} {{device}} highest',
      },
    ],
  ),
];

export const record = [
  lines(
    'Seconds recorded',
    'Share of the seconds of 20 minutes that the exporter sampled. It misses those in which it' +
      ' gets no CPU.',
    share,
    [{ expr: recorded('instance:host_seconds_sampled:ratio20m'), legend: '{{instance}}' }],
  ),
  lines(
    'What watching costs',
    'CPU time that the exporter used, in CPUs.',
    { unit: 'short', min: 0 },
    [{ expr: rate('process_cpu_seconds_total'), legend: '{{instance}} CPUs' }],
  ),
  lines(
    'Scrapes',
    'How long each scrape took, as Prometheus saw it. The slowest collector is a part of it.',
    { unit: 's', min: 0 },
    [
      { expr: latest('scrape_duration_seconds'), legend: '{{instance}}' },
      {
        expr: `max by (instance) (${latest('node_scrape_collector_duration_seconds')})`,
        legend: '{{instance}} slowest collector',
      },
    ],
  ),
];
