// What a model is asked, how far that is from what it was made with, and how good its answers are.
import { bars } from './tables';
import { heatmap, lines } from './panels';
import { growth, latest, modelRate, ofModel, record } from './promql';

const MODEL = '{{model}} {{version}}';
const REFERENCE_BINS = 'job_model_version_bin:model_reference_input_bin_ratio:last16m';
const share = { unit: 'percentunit', min: 0 };

const DISTRIBUTION = bars(
  'Input: the last hour, and when the model was made',
  'Share of the input values in each bin, bin 0 below the first edge of the reference and the ' +
    'last one above its last edge.',
  {
    ...share,
    label: 'bin',
    heading: 'Bin',
    sets: [
      {
        name: 'last hour',
        expr: `avg by (bin) (${record('job_model_version_bin:model_input_bin:ratio1h')})`,
      },
      {
        name: 'last day',
        expr: `avg by (bin) (${record('job_model_version_bin:model_input_bin:ratio1d')})`,
      },
      {
        name: 'when made',
        expr: `avg by (bin) (${record(REFERENCE_BINS)})`,
      },
    ],
  },
);

export const inputs = [
  DISTRIBUTION,
  heatmap(
    'Every input value',
    'How many input values fell into each bucket, in each column. Buckets end at the values shown.',
    'short',
    {
      expr: `sum by (le) ${growth(ofModel('model_input_value_bucket'))}`,
      interval: '20m',
    },
  ),
  lines(
    'Input: mean and deviation',
    'Mean of the input values of an hour and of a day, and their standard deviation.',
    { unit: 'short', dashed: 'day' },
    [
      { expr: record('job_model_version:model_input_value:mean1h'), legend: `${MODEL} mean, hour` },
      { expr: record('job_model_version:model_input_value:mean1d'), legend: `${MODEL} mean, day` },
      {
        expr: `sqrt(clamp_min(${record('job_model_version:model_input_value:variance1h')}, 0))`,
        legend: `${MODEL} deviation, hour`,
      },
      {
        expr: `sqrt(clamp_min(${record('job_model_version:model_input_value:variance1d')}, 0))`,
        legend: `${MODEL} deviation, day`,
      },
    ],
  ),
];

export const drift = [
  lines(
    'Population stability index',
    'How different the distribution of inputs is from the reference; 0 is the same. The ' +
      'threshold is what few healthy windows reach, from the model itself.',
    { unit: 'short', min: 0, dashed: 'threshold' },
    [
      { expr: record('job_model_version:model_input_psi:sum1h'), legend: `${MODEL} hour` },
      { expr: record('job_model_version:model_input_psi:sum1d'), legend: `${MODEL} day` },
      {
        expr: record('job_model_version_window:model_reference_psi_threshold:last16m'),
        legend: `${MODEL} threshold, {{window}}`,
      },
    ],
  ),
  lines(
    'Distance from the reference',
    'Kolmogorov and Smirnov: the largest difference of the cumulative shares. Wasserstein: how' +
      ' far values have moved, in units of the input.',
    { unit: 'short', min: 0 },
    [
      { expr: record('job_model_version:model_input_ks:max1h'), legend: `${MODEL} K-S, hour` },
      { expr: record('job_model_version:model_input_ks:max1d'), legend: `${MODEL} K-S, day` },
      {
        expr: record('job_model_version:model_input_wasserstein:sum1h'),
        legend: `${MODEL} Wasserstein, hour`,
      },
      {
        expr: record('job_model_version:model_input_wasserstein:sum1d'),
        legend: `${MODEL} Wasserstein, day`,
      },
    ],
  ),
  lines(
    'Odd inputs',
    'Input values outside of the range of the reference, and inputs that are one value again and ' +
      'again, per second.',
    { unit: 'cps', min: 0 },
    [
      {
        expr: `sum by (model, version) (${modelRate('model_input_out_of_reference_total')})`,
        interval: '15s',
        legend: `${MODEL} out of range`,
      },
      {
        expr: `sum by (model, version) (${modelRate('model_input_constant_total')})`,
        interval: '15s',
        legend: `${MODEL} constant`,
      },
    ],
  ),
];

function lastHour(metric: string, matchers = ''): string {
  return `sum by (model, version) (increase(${ofModel(metric, matchers)}[1h]))`;
}

/** The mean error of the forecasts that could be compared, in the units of the input. */
function deviation(squares: string): string {
  return `sqrt(${lastHour(squares)} / (${lastHour('model_prediction_errors_total')} > 0))`;
}

export const quality = [
  lines(
    'Skill',
    '1 is never wrong, 0 as good as saying that nothing changes (persistence), below 0 worse; ' +
      'of a day.',
    {
      unit: 'none',
      max: 1,
      decimals: 2,
      thresholds: [
        { color: 'red', value: null },
        { color: 'green', value: 0 },
      ],
    },
    [{ expr: record('job_model_version:model_skill:ratio1d'), legend: MODEL }],
  ),
  lines(
    'Error, and that of persistence',
    'Root of the mean squared error of the forecasts of an hour, and what it were had no ' +
      'change been predicted. Only requests that name their series can be compared.',
    { unit: 'short', min: 0, dashed: 'nothing changes' },
    [
      { expr: deviation('model_prediction_error_squared_sum_total'), legend: `${MODEL} model` },
      {
        expr: deviation('model_baseline_error_squared_sum_total'),
        legend: `${MODEL} nothing changes`,
      },
    ],
  ),
  lines(
    'Predictions, and variance of the latest inputs',
    'Mean prediction of an hour, and the variance of the latest 50 inputs, which is what ' +
      'dashboards of the original service show: too nervous to alert on.',
    { unit: 'short' },
    [
      { expr: meanOutput(), legend: `${MODEL} mean prediction` },
      { expr: latest('input_variance'), legend: '{{instance}} variance of 50 inputs' },
    ],
  ),
];

function meanOutput(): string {
  const total = (sign: string) => lastHour('model_output_value_signed_sum_total', `sign="${sign}"`);
  const count = lastHour('model_output_value_count');
  return `(${total('positive')} - ${total('negative')}) / (${count} > 0)`;
}
