// Reads Kubernetes objects, a JSON array, from stdin, and prints what is wrong with them: a line each.
// Exits with 1 when there is one. An object of a kind that is not here is wrong, too.
import * as apps from 'kubernetes-models/apps/v1';
import * as core from 'kubernetes-models/v1';
import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';

const groups = { v1: core, 'apps/v1': apps, 'monitoring.coreos.com/v1': monitoring };

function wrongOf(object) {
  const Kind = groups[object.apiVersion]?.[object.kind];
  if (!Kind) return 'unknown kind';
  try {
    new Kind(object).validate();
  } catch (error) {
    return error.message;
  }
  return null;
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
