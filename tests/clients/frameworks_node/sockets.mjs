// socket.io with several servers that find each other through publish and subscribe.

import { once } from 'node:events';
import http from 'node:http';

import { equal, eventually } from '../node/checks.mjs';
import {
  connectSocket, createAdapter, createShardedAdapter, Redis, redis, SocketServer,
} from './libraries.mjs';

const NODES = 3;

/** Servers that share an adapter, each with one client. */
async function cluster(pair, adapt, isReady = () => true) {
  const ends = [];
  const nodes = [];
  for (let number = 0; number < NODES; number++) {
    const { pub, sub, end } = await pair();
    const web = http.createServer();
    const server = new SocketServer(web, { adapter: adapt(pub, sub) });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const url = `http://127.0.0.1:${web.address().port}`;
    const arrived = once(server, 'connection');
    const client = connectSocket(url, { transports: ['websocket'] });
    const heard = [];
    client.onAny((event, ...values) => heard.push([event, ...values]));
    const [[socket]] = await Promise.all([arrived, once(client, 'connect')]);
    nodes.push({ server, client, socket, heard });
    ends.push(async () => {
      client.disconnect();
      await server.close();
      await end();
    });
  }
  await eventually(isReady, 'all servers subscribe');
  return { nodes, end: () => Promise.all(ends.map((end) => end())) };
}

async function nodePair(port, RESP) {
  const pub = redis.createClient({ RESP, socket: { port } });
  const sub = pub.duplicate();
  await Promise.all([pub.connect(), sub.connect()]);
  return { pub, sub, end: () => Promise.all([pub.close(), sub.close()]) };
}

async function ioPair(port) {
  const pub = new Redis({ port });
  const sub = pub.duplicate();
  return { pub, sub, end: () => Promise.all([pub.quit(), sub.quit()]) };
}

/** Broadcasts, rooms, and questions to all servers. */
async function talk({ nodes, end }) {
  try {
    const [first, second, third] = nodes;
    const got = (wanted, what) => eventually(
      () => JSON.stringify(nodes.map((node) => node.heard)) === JSON.stringify(wanted), what,
    );
    first.server.emit('all', 1, { text: 'h\u00e9' }, Buffer.from([1, 2]).length);
    const all = ['all', 1, { text: 'h\u00e9' }, 2];
    await got([[all], [all], [all]], 'everybody hears it');
    second.socket.join('room');
    third.socket.join('room');
    await eventually(
      async () => (await first.server.in('room').fetchSockets()).length === 2, 'both are in',
    );
    first.server.to('room').emit('some', 'x');
    third.socket.broadcast.emit('others', 'y');
    const [some, others] = [['some', 'x'], ['others', 'y']];
    await eventually(() => first.heard.length === 2 && second.heard.length === 3, 'rooms');
    equal(first.heard, [all, others]);
    equal([...second.heard].sort(), [all, others, some]);
    await eventually(() => third.heard.length === 2, 'its own is not heard');
    equal(third.heard, [all, some]);
    second.client.on('question', (answer) => answer('second'));
    first.client.on('question', (answer) => answer('first'));
    third.client.on('question', (answer) => answer('third'));
    const answers = await first.server.timeout(5000).emitWithAck('question');
    equal(answers.sort(), ['first', 'second', 'third']);
    first.server.on('ping', (answer) => answer('a'));
    second.server.on('ping', (answer) => answer('b'));
    equal((await third.server.serverSideEmitWithAck('ping')).sort(), ['a', 'b']);
    first.server.in('room').disconnectSockets();
    await eventually(() => !second.client.connected && !third.client.connected, 'they are gone');
    equal(first.client.connected, true);
  } finally {
    await end();
  }
}

/** Whether each of the servers subscribes to its pattern; the adapter does not tell. */
const listens = (client) => async () => {
  const listed = await client.sendCommand(['CLIENT', 'LIST']);
  return listed.match(/ psub=1 /g)?.length === NODES;
};

export const checks = {
  async 'over node-redis, RESP2'({ client, port }) {
    await talk(await cluster(() => nodePair(port, 2), createAdapter, listens(client)));
  },
  async 'over node-redis, RESP3'({ client, port }) {
    await talk(await cluster(() => nodePair(port, 3), createAdapter, listens(client)));
  },
  async 'over ioredis'({ client, port }) {
    await talk(await cluster(() => ioPair(port), createAdapter, listens(client)));
  },
  async 'over shard channels'({ port }) {
    const adapt = (pub, sub) => createShardedAdapter(pub, sub, { subscriptionMode: 'dynamic' });
    await talk(await cluster(() => nodePair(port, 3), adapt));
  },
};
