// ioredis: one entry a check, as in node_redis.mjs.

import { equal, eventually, isTrue, rejects, within } from './checks.mjs';
import { Redis, versions } from './libraries.mjs';
import { Server } from './server.mjs';

export const title = `ioredis ${versions.ioredis}`;

/** Opens clients of one protocol, and closes them. */
export class Place {
  #opened = [];

  constructor(server, protocol) {
    this.server = server;
    this.protocol = protocol;
  }

  /** A client that is connected and has made its ready check, which reads INFO. */
  async open(options = {}) {
    const client = new Redis({
      host: '127.0.0.1', port: this.server.port, protocol: this.protocol, lazyConnect: true,
      retryStrategy: null, ...options,
    });
    client.on('error', () => {});
    this.#opened.push(client);
    await client.connect();
    return client;
  }

  close() {
    for (const client of this.#opened.splice(0)) client.disconnect();
  }
}

export const checks = {
  async handshake({ client, open, protocol }) {
    equal(client.status, 'ready');
    const named = await open({ connectionName: 'app', db: 3 });
    const info = fields(await named.client('INFO'));
    equal([info.name, info.db, info.resp], ['app', '3', String(protocol)]);
    equal([info['lib-name'], info['lib-ver']], ['ioredis', versions.ioredis]);
  },

  async strings({ client }) {
    equal(await client.get('missing'), null);
    equal(await client.set('key', 'value'), 'OK');
    equal(await client.set('key', 'b', 'EX', 100, 'GET'), 'value');
    within(await client.ttl('key'), 99, 100);
    equal(await client.set('key', 'c', 'KEEPTTL'), 'OK');
    within(await client.ttl('key'), 99, 100);
    equal(await client.set('key', 'c', 'NX'), null);
    equal(await client.mset('a', 1, 'b', 2), 'OK');
    equal(await client.mset({ c: 3 }), 'OK');
    equal(await client.mset(new Map([['d', 4]])), 'OK');
    equal(await client.mget('a', 'x', ['d']), ['1', null, '4']);
    equal(await client.getex('key', 'PERSIST'), 'c');
    equal(await client.getdel('key'), 'c');
    equal(await client.msetnx('a', 1, 'z', 2), 0);
    equal(await client.setnx('z', '5'), 1);
    equal(await client.append('z', '6'), 2);
    equal(await client.setrange('z', 1, '7'), 2);
    equal(await client.getrange('z', 0, -1), '57');
    equal(await client.strlen('z'), 2);
    equal(await client.incrby('z', 3), 60);
    equal(await client.decrby('z', 20), 40);
    equal(await client.incrbyfloat('z', 0.5), '40.5');
    equal(await client.getset('z', 'new'), '40.5');
    equal(await client.setex('z', 100, 'v'), 'OK');
    equal(await client.psetex('z', 100000, 'v'), 'OK');
    equal(await client.lcs('z', 'missing', 'LEN'), 0);
    await rejects(client.incr('z'), 'SimpleError', 'ERR value is not an integer or out of range');
    await rejects(client.set('z', 'v', 'EX', 0), 'SimpleError',
      "ERR invalid expire time in 'set' command");
  },

  async keys({ client }) {
    await client.mset('a', 1, 'b', 2, 'c', 3);
    equal(await client.exists('a', 'b', 'a'), 3);
    equal(await client.del('a', 'x'), 1);
    equal(await client.unlink(['b', 'x']), 1);
    equal(await client.rename('c', 'd'), 'OK');
    equal(await client.copy('d', 'e', 'REPLACE'), 1);
    equal(await client.type('d'), 'string');
    equal(await client.object('ENCODING', 'd'), 'int');
    equal(await client.pexpire('d', 5000, 'NX'), 1);
    equal(await client.expire('d', 100, 'GT'), 1);
    within(await client.ttl('d'), 99, 100);
    equal(await client.persist('d'), 1);
    equal((await client.keys('*')).sort(), ['d', 'e']);
    equal(await client.dbsize(), 2);
    equal(await client.select(5), 'OK');
    equal(await client.dbsize(), 0);
    equal(await client.flushall('ASYNC'), 'OK');
    await client.set('soon', 'v', 'PX', 20);
    await eventually(async () => (await client.dbsize()) === 0, 'the key expires');
  },

  async scanStream({ client }) {
    const names = Array.from({ length: 1500 }, (_, i) => `key:${i}`);
    await client.mset(Object.fromEntries(names.map((name) => [name, 'v'])));
    const found = new Set();
    for await (const part of client.scanStream({ count: 100 })) part.forEach((k) => found.add(k));
    equal([...found].sort(), names.sort());
    const few = [];
    for await (const part of client.scanStream({ match: 'key:14*', type: 'string', count: 1000 }))
      few.push(...part);
    equal(few.length, 111);
  },

  async pipelines({ client }) {
    const mixed = client.pipeline();
    mixed.set('a', 1).incr('a').get('x').incr('a', 'too', 'many').get('a');
    const replies = await mixed.exec();
    equal(replies.map(([error, value]) => error?.constructor.name ?? value),
      ['OK', 2, null, 'SimpleError', '2']);
    const pipe = client.pipeline();
    for (let i = 0; i < 10000; i++) pipe.set(`k${i}`, i).get(`k${i}`);
    const many = await pipe.exec();
    isTrue(many.every(([error, value], i) => !error && value === (i % 2 ? `${(i - 1) / 2}` : 'OK')),
      'the replies in order');
  },

  async autoPipelining({ open }) {
    const auto = await open({ enableAutoPipelining: true });
    for (let round = 0; round < 5; round++) {
      const replies = await Promise.all(Array.from({ length: 2000 }, (_, i) =>
        i % 2 ? auto.get(`k${i - 1}`) : auto.set(`k${i}`, `${round}:${i}`)));
      const wanted = (i) => (i % 2 ? `${round}:${i - 1}` : 'OK');
      isTrue(replies.every((reply, i) => reply === wanted(i)), 'the replies in order');
    }
    const settled = await Promise.allSettled([auto.set('t', 'x'), auto.incr('t'), auto.get('t')]);
    equal(settled.map((one) => one.status), ['fulfilled', 'rejected', 'fulfilled']);
  },

  async binaryAndBigValues({ client }) {
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const key = Buffer.concat([Buffer.from('\r\n*-1\r\n\0'), every]);
    equal(await client.set(key, every), 'OK');
    isTrue((await client.getBuffer(key)).equals(every), 'another value came back');
    isTrue((await client.keysBuffer('*'))[0].equals(key), 'another key came back');
    const big = Buffer.alloc(20 * 1024 * 1024, every);
    equal(await client.set('big', big), 'OK');
    isTrue((await client.getBuffer('big')).equals(big), 'another big value came back');
  },

  async keyPrefix({ open, client }) {
    const prefixed = await open({ keyPrefix: 'app:' });
    await prefixed.mset('a', 1, 'b', 2);
    equal((await client.keys('*')).sort(), ['app:a', 'app:b']);
    equal(await prefixed.del('a', 'b'), 2);
  },

  async callAndErrors({ client }) {
    equal(await client.call('SET', 'key', 'v'), 'OK');
    equal(await client.call('get', ['key']), 'v');
    const error = await rejects(client.call('NOTHING', 'a'), 'SimpleError',
      "ERR unknown command 'NOTHING', with args beginning with: 'a' ");
    equal(error.command.name.toLowerCase(), 'nothing');
    await rejects(client.call('GET'), 'SimpleError',
      "ERR wrong number of arguments for 'get' command");
    await rejects(client.call('SET', 'a', 'b', 'c'), 'SimpleError', 'ERR syntax error');
  },

  async clientsAndServer({ client, open, server }) {
    const other = await open({ connectionName: 'other' });
    const id = await other.client('ID');
    equal(await client.client('SETNAME', 'mine'), 'OK');
    equal(await client.client('GETNAME'), 'mine');
    const list = (await client.client('LIST')).trim().split('\n').map(fields);
    equal(list.find((entry) => entry.name === 'other').id, String(id));
    equal(await client.client('KILL', 'ID', id), 1);
    await eventually(() => other.status === 'end', 'the other client sees its end');
    equal(await client.config('GET', 'port'), ['port', String(server.port)]);
    equal(await client.config('SET', 'timeout', '0'), 'OK');
    isTrue((await client.info('server')).includes('redis_version'), 'INFO');
    equal(await client.command('GETKEYS', 'SET', 'k', 'v'), ['k']);
    equal((await client.command('INFO', 'get'))[0].slice(0, 2), ['get', 2]);
    equal(await client.memory('USAGE', 'missing'), null);
    equal((await client.time()).length, 2);
    equal(await client.ping(), 'PONG');
    equal(await client.echo('x'), 'x');
  },

  repliesAsInResp3: {
    resp3: true,
    async check({ open }) {
      const client = await open({ replyMapping: 'resp3' });
      equal(await client.config('GET', 'databases'), { databases: '16' });
      await client.mset('a', 'xy', 'b', 'xy');
      equal(await client.lcs('a', 'b', 'IDX'), { matches: [[[0, 1], [0, 1]]], len: 2 });
      const hello = await client.call('HELLO', '3');
      equal([hello.proto, hello.mode, hello.modules], [3, 'standalone', []]);
    },
  },

  async manyConnections({ client, open }) {
    const many = await Promise.all(Array.from({ length: 100 }, () => open()));
    await Promise.all(many.map((one) => one.incr('n')));
    equal(await client.get('n'), '100');
    const ids = await Promise.all(many.map((one) => one.client('ID')));
    equal(new Set(ids).size, 100);
  },

  async commandTimeout({ client, open }) {
    const hasty = await open({ commandTimeout: 100 });
    await client.client('PAUSE', 100000, 'WRITE');
    try {
      await rejects(hasty.set('key', 'v'), 'Error', 'Command timed out');
    } finally {
      await client.client('UNPAUSE');
    }
    equal(await hasty.ping(), 'PONG');
  },

  async unixSocketAndUrl({ server, protocol }) {
    const unix = new Redis(server.socketPath, { protocol });
    equal(await unix.set('key', 'v'), 'OK');
    equal(await unix.quit(), 'OK');
    const url = new Redis(`redis://127.0.0.1:${server.port}/6`, { protocol });
    equal(fields(await url.client('INFO')).db, '6');
    url.disconnect();
  },

  // dragonfly#7650: blocking pops in a loop over one connection, the pattern of the library bull.
  blockingPops: {
    command: 'brpoplpush',
    waits: true,
    async check({ client, open }) {
      const worker = await open();
      const done = [];
      const loop = (async () => {
        while (done.length < 8) done.push(await worker.brpoplpush('queue', 'active', 10));
      })();
      for (let i = 0; i < 8; i++) await client.lpush('queue', `job${i}`);
      await loop;
      equal(done, Array.from({ length: 8 }, (_, i) => `job${i}`));
    },
  },

  transaction: {
    command: 'multi',
    waits: true,
    async check({ client }) {
      equal(await client.multi().set('a', 1).incr('a').exec(), [[null, 'OK'], [null, 2]]);
    },
  },

  async reconnect({ protocol, threads }) {
    const server = await Server.start(threads);
    try {
      const own = new Redis({ port: server.port, protocol, retryStrategy: () => 20 });
      own.on('error', () => {});
      equal(await own.set('key', '1'), 'OK');
      await server.stop();
      const later = own.set('key', '2');
      await server.start();
      equal(await later, 'OK');
      own.disconnect();
    } finally {
      await server.close();
    }
  },

  async password({ protocol, threads }) {
    const server = await Server.start(threads, '--requirepass', 'secret');
    try {
      const options = { port: server.port, protocol, retryStrategy: null, lazyConnect: true };
      const first = async (more) => {
        const own = new Redis({ ...options, ...more });
        own.on('error', () => {});
        try {
          return await own.set('key', 'v');
        } finally {
          own.disconnect();
        }
      };
      equal(await first({ password: 'secret' }), 'OK');
      equal(await first({ username: 'default', password: 'secret', db: 2 }), 'OK');
      const url = new Redis(`redis://:secret@127.0.0.1:${server.port}/1`, { protocol });
      equal(await url.get('key'), null);
      url.disconnect();
      await rejects(first({ password: 'wrong' }), 'SimpleError', 'WRONGPASS');
      await rejects(first({}), 'SimpleError', 'NOAUTH');
    } finally {
      await server.close();
    }
  },
};

/** The `name=value` words of CLIENT INFO. */
function fields(text) {
  return Object.fromEntries(text.trim().split(' ').map((word) => word.split(/=(.*)/s).slice(0, 2)));
}
