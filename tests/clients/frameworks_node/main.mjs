// Runs every check of the Node frameworks, with one worker and with several.

import * as jobs from './jobs.mjs';
import * as scripts from './scripts.mjs';
import * as sessions from './sessions.mjs';
import * as sockets from './sockets.mjs';
import { Report } from '../node/checks.mjs';
import { Server, THREADS } from '../node/server.mjs';
import { redis } from './libraries.mjs';

const only = process.argv[2] ?? '';
const modules = { sessions, sockets, jobs, scripts };

const report = new Report();
for (const threads of THREADS) {
  const server = await Server.start(threads);
  const client = redis.createClient({ socket: { port: server.port } });
  await client.connect();
  const commands = new Set(await client.sendCommand(['COMMAND', 'LIST']));
  for (const [name, { checks }] of Object.entries(modules)) {
    for (const [part, entry] of Object.entries(checks)) {
      const { command, check } = typeof entry === 'function' ? { check: entry } : entry;
      const title = `${name}.${part}`;
      if (!title.includes(only)) continue;
      if (command && !commands.has(command)) {
        report.wait(title, command);
        continue;
      }
      await report.run(`${title} (threads ${threads})`, async () => {
        await client.flushAll();
        await check({ client, port: server.port });
      });
    }
  }
  client.destroy();
  await report.run(`the server's end, threads ${threads}`, () => server.close());
}
process.exit(report.end());
