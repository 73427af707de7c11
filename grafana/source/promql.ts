// Queries that are right at a scrape every 5 minutes: counters over $__rate_interval, which is 20
// minutes or more with the data source's interval of 5 minutes; gauges over 16 minutes, the newest
// of three scrapes, so that a failed one leaves no hole. docs/five-minutes.md says why.

const JOB = 'job=~"$job"';
const INSTANCE = 'instance=~"$instance"';
const MODEL = 'model=~"$model",version=~"$version"';

function select(metric: string, ...matchers: string[]): string {
  return `${metric}{${matchers.filter((matcher) => matcher !== '').join(',')}}`;
}

/** A family as the picked instances have it. */
export function family(metric: string, matchers = ''): string {
  return select(metric, JOB, INSTANCE, matchers);
}

/** A series of rules/. Its level says which labels it has: a model's have no instance. */
export function record(name: string, matchers = ''): string {
  const level = name.split(':')[0];
  return level.startsWith('instance')
    ? select(name, JOB, INSTANCE, matchers)
    : select(name, JOB, MODEL, matchers);
}

export function latest(metric: string, matchers = ''): string {
  return `last_over_time(${family(metric, matchers)}[16m])`;
}

export function highest(metric: string, matchers = ''): string {
  return `max_over_time(${family(metric, matchers)}[16m])`;
}

export function rate(metric: string, matchers = ''): string {
  return `rate(${family(metric, matchers)}[$__rate_interval])`;
}

export function increase(metric: string, window: string, matchers = ''): string {
  return `increase(${family(metric, matchers)}[${window}])`;
}

/**
 * What a counter grew by in each column: its end less the end of the column before, so that nothing
 * is between two columns. One that began anew, has grown from 0.
 */
export function growth(selector: string): string {
  const end = `last_over_time(${selector}[$__interval])`;
  const before = `last_over_time(${selector}[$__interval] offset $__interval)`;
  return `((${end} - ${before}) >= 0 or (${end} and ${before}))`;
}

/** A family of the model server's page. */
export function ofModel(metric: string, matchers = ''): string {
  return family(metric, [MODEL, matchers].filter((matcher) => matcher !== '').join(','));
}

export function latestOfModel(metric: string, matchers = ''): string {
  return `last_over_time(${ofModel(metric, matchers)}[16m])`;
}

export function modelRate(metric: string, matchers = ''): string {
  return `rate(${ofModel(metric, matchers)}[$__rate_interval])`;
}

export function quantile(q: number, buckets: string, labels = ''): string {
  const by = labels === '' ? 'le' : `${labels}, le`;
  return `histogram_quantile(${q}, sum by (${by}) (${buckets}))`;
}

/** One expression of several that differ in nothing else than the label `label`. */
export function named(label: string, parts: Record<string, string>): string {
  return Object.entries(parts)
    .map(([name, expr]) => `label_replace(${expr}, "${label}", "${name}", "", "")`)
    .join(' or ');
}

/** Those of `expr` whose `weight` over the shown time is among the largest. */
export function largest(count: number, expr: string, weight: string): string {
  return `${expr} and topk(${count}, ${weight})`;
}
