// Writes a file for each dashboard into the directory that is given.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboard } from './dashboard';
import { fleet } from './fleet';
import { modelServer } from './model_server';
import { node } from './node';
import { processes } from './processes';

const directory = process.argv[2];
for (const [name, content] of Object.entries({
  fleet,
  model_server: modelServer,
  node,
  processes,
})) {
  writeFileSync(
    join(directory, `${name}.json`),
    `${JSON.stringify(dashboard(content), null, 2)}\n`,
  );
}
