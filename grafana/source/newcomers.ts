// Counters whose series come and go, as those of groups of processes do: many are on a page or two,
// with all that they will ever say.
import { family } from './promql';

/** Where there was a page with groups before the window. */
function hadPage(window: string): string {
  const success = family('node_scrape_collector_success', 'collector="process"');
  return `max_over_time(${success}[16m] offset ${window}) == 1`;
}

/**
 * Those series of `selector` that are on a page of the window and were on none before, though the
 * same exporter gave one: all that they say is new, which increase() cannot see. After a restart
 * groups of processes begin with what was long ago.
 */
function newcomers(selector: string, window: string): string {
  const start = family('process_start_time_seconds');
  const now = (what: string) => `last_over_time(${what}[${window}])`;
  const before = (what: string) => `last_over_time(${what}[16m] offset ${window})`;
  return (
    `(${now(selector)} unless ${before(selector)}` +
    ` and on (job, instance) (${now(start)} == ${before(start)})` +
    ` and on (job, instance) ${hadPage(window)})`
  );
}

/** increase() of counters whose series come and go. */
export function wholeIncrease(selector: string, window: string): string {
  return `(${newcomers(selector, window)} or increase(${selector}[${window}]))`;
}

/** rate() of counters whose series come and go. */
export function wholeRate(selector: string): string {
  const seconds = `delta(${family('node_time_seconds')}[$__rate_interval])`;
  return (
    `(${newcomers(selector, '$__rate_interval')} / on (job, instance) group_left () ` +
    `${seconds} or rate(${selector}[$__rate_interval]))`
  );
}

/**
 * What counters that begin at 0, and whose series come and go and come again, counted in the time
 * shown, step by step: a step's end less that of the one before. What happened while there was no
 * page for 16 minutes is not in it.
 */
export function counted(selector: string): string {
  const now = (what: string) => `last_over_time(${what}[$__interval])`;
  const before = (what: string) => `last_over_time(${what}[16m] offset $__interval)`;
  return (
    `sum_over_time(sum(${now(selector)} - ` +
    `(${before(selector)} <= ${now(selector)} or 0 * ${now(selector)})` +
    ` and on (job, instance) ${hadPage('$__interval')}` +
    ')[$__range:$__interval])'
  );
}

/** How much there was of it in the whole of the time shown, at each of its moments: to rank by. */
export function overall(selector: string): string {
  const end = `last_over_time(${selector}[$__range] @ end())`;
  const before = `last_over_time(${selector}[16m] offset $__range @ end())`;
  return `(${end} unless ${before} or increase(${selector}[$__range] @ end()))`;
}
