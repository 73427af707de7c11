// Reads Kubernetes objects, a JSON array, from stdin, and prints what is wrong with them, a line
// each. Exits with 1 when there is one. An object of a kind that is not here is wrong, too.
import * as apps from 'kubernetes-models/apps/v1';
import * as core from 'kubernetes-models/v1';
import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';

const groups = { v1: core, 'apps/v1': apps, 'monitoring.coreos.com/v1': monitoring };

// A copy of the value that takes the paths of keys that are read out of `unread`. The validators
// pass over keys that they do not know, as a cluster does: nobody would notice.
function watched(value, path, unread) {
  if (value === null || typeof value !== 'object') return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, child] of Object.entries(value)) {
    if (!Array.isArray(value)) unread.add(`${path}/${key}`);
    copy[key] = watched(child, `${path}/${key}`, unread);
  }
  return new Proxy(copy, {
    get(target, key) {
      unread.delete(`${path}/${String(key)}`);
      return target[key];
    },
  });
}

function wrongOf(object) {
  const Kind = groups[object.apiVersion]?.[object.kind];
  if (!Kind) return 'unknown kind';
  const unread = new Set();
  try {  // Not of a new Kind(), which would be a copy.
    Kind.prototype.validate.call(watched(object, '', unread));
  } catch (error) {
    return error.message;
  }
  return unread.size === 0 ? null : `unknown keys ${[...unread].join(' ')}`;
}

let input = '';
for await (const chunk of process.stdin) input += chunk;
for (const object of JSON.parse(input)) {
  const wrong = wrongOf(object);
  if (wrong !== null) {
    console.log(`${object.kind} ${object.metadata?.name}: ${wrong}`);
    process.exitCode = 1;
  }
}
