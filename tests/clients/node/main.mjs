// Runs every check of both libraries, in both protocols, with each number of threads.

import * as ioredis from './ioredis.mjs';
import * as nodeRedis from './node_redis.mjs';
import { Report } from './checks.mjs';
import { redis } from './libraries.mjs';
import { IS_PEER, Server, THREADS } from './server.mjs';

const only = process.argv[2] ?? '';

/** The server's commands in lower case, and a way to empty it. */
async function preparation(server) {
  const client = redis.createClient({ RESP: 2, socket: { port: server.port } });
  await client.connect();
  const commands = new Set(await client.sendCommand(['COMMAND', 'LIST']));
  return { commands, empty: () => client.flushAll(), end: () => client.destroy() };
}

async function runLibrary(report, library, server, protocol, commands, empty) {
  const place = new library.Place(server, protocol);
  const open = (options) => place.open(options);
  for (const [name, entry] of Object.entries(library.checks)) {
    const { command, waits, resp3, check } = typeof entry === 'function' ? { check: entry } : entry;
    const title = `${library.title} ${name}`;
    if (!title.includes(only) || (resp3 && protocol !== 3)) continue;
    if (command && !commands.has(command) && (waits || IS_PEER)) {
      report.wait(title, command);
      continue;
    }
    await report.run(`${title} (RESP${protocol}, threads ${server.threads})`, async () => {
      await empty();
      try {
        const client = await open();
        await check({ client, open, server, protocol, threads: server.threads });
      } finally {
        place.close();
      }
    });
  }
}

const report = new Report();
for (const threads of THREADS) {
  const server = await Server.start(threads);
  const { commands, empty, end } = await preparation(server);
  for (const library of [nodeRedis, ioredis]) {
    for (const protocol of [2, 3]) {
      await runLibrary(report, library, server, protocol, commands, empty);
    }
  }
  end();
  await report.run(`the server's end, threads ${threads}`, () => server.close());
}
process.exit(report.end());
