// A model that serves predictions: whether it answers, how fast, what it is asked, how good it is.
import { type Content, jobAndInstance } from './dashboard';
import { drift, inputs, quality } from './model_inputs';
import { type Asked, above, heatmap, lines, number } from './panels';
import { latestOfModel, modelRate, ofModel, quantile, rate, record } from './promql';
import { table } from './tables';

/** Of the job that looks at the model server and its client every 15 seconds. */
const STEP = '15s';
const often = (expr: string, legend: string): Asked => ({ expr, legend, interval: STEP });

const MODEL = '{{model}} {{version}}';
const PSI_THRESHOLD = 'job_model_version_window:model_reference_psi_threshold:last16m';
const IN_FLIGHT = ofModel('model_requests_in_flight');
const share = { unit: 'percentunit', min: 0 };

const now = [
  number(
    'Requests',
    'Predictions that were asked for, per second, in the last 20 minutes.',
    { unit: 'reqps', decimals: 1 },
    { expr: `sum(rate(${ofModel('model_requests_total')}[20m]))` },
  ),
  number(
    'Failed',
    'Share of the requests of the last 20 minutes that the server failed to answer (overload, ' +
      'error).',
    { ...share, decimals: 2, thresholds: above(0.001, 0.01) },
    { expr: `max(${record('job_model_version:model_requests_failed:ratio20m')})` },
  ),
  number(
    'Slower than 0.1 s',
    'Share of the answers of the last 20 minutes.',
    { ...share, decimals: 2, thresholds: above(0.01, 0.05) },
    { expr: `max(${record('job_model_version:model_requests_slow:ratio20m')})` },
  ),
  number(
    'Latency p99',
    'Time that 1 % of the answers of the last 20 minutes took or more.',
    { unit: 's', decimals: 1, thresholds: above(0.1, 0.5) },
    { expr: `max(${record('job_model_version:model_request_duration_seconds:p99_20m')})` },
  ),
  number(
    'Input drift, 1 day',
    'Population stability index of the inputs of a day, as a share of what few healthy days reach.',
    { unit: 'percentunit', decimals: 0, thresholds: above(1, 2) },
    {
      expr:
        `max(${record('job_model_version:model_input_psi:sum1d')} / ignoring (window) ` +
        `${record(PSI_THRESHOLD, 'window="1d"')})`,
    },
  ),
  number(
    'Skill, 1 day',
    '1 is never wrong, 0 as good as saying that nothing changes, below 0 worse. Only requests ' +
      'that name their series can be compared with what came.',
    {
      unit: 'none',
      decimals: 2,
      thresholds: [
        { color: 'red', value: null },
        { color: 'green', value: 0 },
      ],
    },
    { expr: `min(${record('job_model_version:model_skill:ratio1d')})` },
  ),
];

const identity = table('Models', 'Which bytes are served by what, and since when.', {
  labels: { instance: 'Instance', model: 'Model', version: 'Version' },
  more: { runtime: 'Runtime', sha256: 'SHA-256' },
  columns: [
    {
      name: 'Ready',
      expr:
        `max by (model, version, runtime, sha256, instance) (${latestOfModel('model_info')}` +
        ' * on (job, instance, model, version) group_left () ' +
        `${latestOfModel('model_ready')})`,
      unit: 'none',
      names: { 0: { text: 'no', color: 'red' }, 1: { text: 'yes', color: 'green' } },
    },
    {
      name: 'Loaded',
      expr:
        '1000 * max by (model, version, runtime, sha256, instance) (' +
        `${latestOfModel('model_info')} * on (job, instance, model, version) ` +
        `group_left () ${latestOfModel('model_load_timestamp_seconds')})`,
      unit: 'dateTimeFromNow',
    },
  ],
  sortedBy: 'Loaded',
});

const traffic = [
  lines(
    'Requests by result',
    'Requests per second, by what came of them.',
    {
      unit: 'reqps',
      min: 0,
      stacked: true,
    },
    [often(`sum by (result) (${modelRate('model_requests_total')})`, '{{result}}')],
  ),
  lines(
    'Failures',
    'Share of the requests that the server failed to answer, of 20 minutes, an hour and six: the ' +
      'alerts are on two of them at once.',
    { ...share, upTo: 0.01 },
    [
      {
        expr: record('job_model_version:model_requests_failed:ratio20m'),
        legend: `${MODEL} 20 minutes`,
      },
      {
        expr: record('job_model_version:model_requests_failed:ratio1h'),
        legend: `${MODEL} 1 hour`,
      },
      {
        expr: record('job_model_version:model_requests_failed:ratio6h'),
        legend: `${MODEL} 6 hours`,
      },
    ],
  ),
  lines(
    'Refused input',
    'Requests per second that were refused as bad, by what was wrong.',
    {
      unit: 'reqps',
      min: 0,
      stacked: true,
    },
    [often(`sum by (reason) (${modelRate('model_input_rejected_total')})`, '{{reason}}')],
  ),
];

const durations = modelRate('model_request_duration_seconds_bucket');

const latency = [
  lines(
    'Latency',
    'Time from the whole request to its answer, bad requests left out.',
    {
      unit: 's',
      min: 0,
    },
    [
      often(quantile(0.5, durations), 'p50'),
      often(quantile(0.9, durations), 'p90'),
      often(quantile(0.99, durations), 'p99'),
    ],
  ),
  heatmap(
    'Every answer by its latency',
    'How many answers took how long, per second. Buckets end at the values shown.',
    's',
    { expr: `sum by (le) (${durations})`, interval: STEP },
  ),
  lines(
    'Where the time goes',
    'The slowest 1 % of 20 minutes: waiting for a worker, and computing.',
    { unit: 's', min: 0 },
    [
      {
        expr: record('job_model_version:model_queue_duration_seconds:p99_20m'),
        legend: `${MODEL} queue p99`,
      },
      {
        expr: record('job_model_version:model_compute_duration_seconds:p99_20m'),
        legend: `${MODEL} compute p99`,
      },
      {
        expr: record('job_model_version:model_compute_duration_seconds:p50_20m'),
        legend: `${MODEL} compute p50`,
      },
    ],
  ),
];

const client = [
  lines(
    'Seen by the client',
    'Time from sending a request to the last byte of its answer.',
    {
      unit: 's',
      min: 0,
    },
    [
      often(quantile(0.5, rate('request_processing_seconds_bucket')), 'p50'),
      often(quantile(0.99, rate('request_processing_seconds_bucket')), 'p99'),
    ],
  ),
  lines(
    "The client's failures",
    'Requests per second that brought no prediction, by reason.',
    { unit: 'reqps', min: 0, stacked: true },
    [often(`sum by (reason) (${rate('model_client_failures_total')})`, '{{reason}}')],
  ),
  lines(
    'Requests under way',
    'Requests that are not answered yet, the most of each step of an instance.',
    { unit: 'short', min: 0, decimals: 0 },
    [often(`max by (instance) (max_over_time(${IN_FLIGHT}[$__rate_interval]))`, '{{instance}}')],
  ),
];

const MODELS = 'model_info{job=~"$job",instance=~"$instance"';

export const modelServer: Content = {
  uid: 'resource-model-server',
  title: 'Model server',
  description: 'Whether a model answers, how fast, what it is asked, and how good it is.',
  pickers: [
    ...jobAndInstance('{__name__=~"model_info|my_progressed_requests"}', true),
    { name: 'model', label: 'Model', family: `${MODELS}}`, of: 'model', several: false },
    {
      name: 'version',
      label: 'Version',
      family: `${MODELS},model=~"$model"}`,
      of: 'version',
      all: true,
    },
  ],
  sections: [
    {
      title: 'Now',
      lines: [
        { height: 4, panels: now },
        { height: 4, panels: [identity] },
      ],
    },
    { title: 'Traffic and errors', lines: [{ height: 8, panels: traffic }] },
    { title: 'Latency', lines: [{ height: 8, panels: latency }] },
    { title: 'Input', lines: [{ height: 8, panels: inputs }] },
    { title: 'Drift', lines: [{ height: 8, panels: drift }] },
    { title: 'Quality', lines: [{ height: 8, panels: quality }] },
    { title: 'The client', lines: [{ height: 8, panels: client }] },
  ],
};
