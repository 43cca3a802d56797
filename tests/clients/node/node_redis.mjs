// node-redis: one entry a check. `client` is connected to an empty server; `open(options)` gives
// further clients, which end with the check.

import { equal, eventually, isTrue, rejects, within } from './checks.mjs';
import { redis, versions } from './libraries.mjs';
import { Server } from './server.mjs';

const { RESP_TYPES, createClient, createClientPool } = redis;

export const title = `node-redis ${versions.redis}`;

/** Opens clients of one protocol, and closes them. */
export class Place {
  #first;
  #opened = [];

  constructor(server, protocol) {
    const socket = { host: '127.0.0.1', port: server.port, reconnectStrategy: false };
    this.#first = createClient({ RESP: protocol, socket });
  }

  /** A client that is connected. A copy of a client costs far less than a new one. */
  async open(options = {}) {
    const client = this.#first.duplicate(options);
    client.on('error', () => {});
    this.#opened.push(client);
    return client.connect();
  }

  close() {
    for (const client of this.#opened.splice(0)) if (client.isOpen) client.destroy();
  }
}

export const checks = {
  // node-redis#2968, go-redis#3536, safe-client-gateway#3215: HELLO, CLIENT SETINFO and CLIENT
  // MAINT_NOTIFICATIONS on connect.
  async handshake({ client, open, protocol }) {
    const named = await open({ name: 'app', database: 3 });
    const info = await named.clientInfo();
    equal([info.name, info.db, Number(info.resp)], ['app', 3, protocol]);
    equal(info.libName, 'node-redis');
    equal(info.libVer, versions.client);
    equal(await client.ping(), 'PONG');
    equal(await client.ping('text'), 'text');
    equal(await client.echo('text'), 'text');
  },

  async hello({ client, protocol }) {
    const reply = await client.hello();
    equal([reply.proto, reply.role, reply.mode, reply.modules],
      [protocol, 'master', 'standalone', []]);
    equal(reply.id, await client.clientId());
  },

  async strings({ client }) {
    equal(await client.get('missing'), null);
    equal(await client.set('key', 'value'), 'OK');
    equal(await client.get('key'), 'value');
    equal(await client.getSet('key', 'other'), 'value');
    equal(await client.append('key', '!'), 6);
    equal(await client.strLen('key'), 6);
    equal(await client.getRange('key', 0, 2), 'oth');
    equal(await client.setRange('key', 5, '?'), 6);
    equal(await client.getDel('key'), 'other?');
    equal(await client.mSet({ a: '1', b: '2' }), 'OK');
    equal(await client.mSet([['c', '3'], ['d', '4']]), 'OK');
    equal(await client.mGet(['a', 'x', 'd']), ['1', null, '4']);
    equal(await client.mSetNX({ a: '1', e: '2' }), 0);
    equal(await client.setNX('e', '5'), 1);
    equal(await client.setEx('f', 100, 'v'), 'OK');
    equal(await client.pSetEx('g', 100000, 'v'), 'OK');
    within(await client.ttl('g'), 99, 100);
  },

  async setOptions({ client }) {
    equal(await client.set('key', 'a', { condition: 'XX' }), null);
    equal(await client.set('key', 'a', { condition: 'NX' }), 'OK');
    equal(await client.set('key', 'b', { GET: true }), 'a');
    equal(await client.set('key', 'b', { expiration: { type: 'EX', value: 100 } }), 'OK');
    within(await client.ttl('key'), 99, 100);
    equal(await client.set('key', 'c', { expiration: 'KEEPTTL' }), 'OK');
    within(await client.ttl('key'), 99, 100);
    const at = Math.floor(Date.now() / 1000) + 500;
    equal(await client.set('key', 'd', { expiration: { type: 'EXAT', value: at } }), 'OK');
    equal(await client.expireTime('key'), at);
    equal(await client.set('key', 'e', { PXAT: at * 1000 + 1 }), 'OK');
    equal(await client.pExpireTime('key'), at * 1000 + 1);
    equal(await client.getEx('key', { type: 'PERSIST' }), 'e');
    equal(await client.ttl('key'), -1);
    equal(await client.getEx('key', { type: 'PX', value: 50000 }), 'e');
    within(await client.pTTL('key'), 40000, 50000);
    // dragonfly#8082: a time in the past deletes.
    equal(await client.set('key', 'f', { PXAT: 1, GET: true }), 'e');
    equal(await client.exists('key'), 0);
  },

  setCompares: {
    command: 'digest',
    async check({ client }) {
      await client.set('key', 'a');
      equal(await client.set('key', 'b', { condition: 'IFEQ', matchValue: 'x' }), null);
      equal(await client.set('key', 'b', { condition: 'IFEQ', matchValue: 'a' }), 'OK');
      equal(await client.set('key', 'c', { condition: 'IFNE', matchValue: 'b' }), null);
      const digest = await client.digest('key');
      equal(await client.set('key', 'd', { condition: 'IFDNE', matchValue: digest }), null);
      equal(await client.set('key', 'd', { condition: 'IFDEQ', matchValue: digest }), 'OK');
      equal(await client.delEx('key', { condition: 'IFEQ', matchValue: 'x' }), 0);
      equal(await client.delEx('key', { condition: 'IFEQ', matchValue: 'd' }), 1);
      equal(await client.delEx('key'), 0);
      equal(await client.digest('key'), null);
    },
  },

  mSetEx: {
    command: 'msetex',
    async check({ client }) {
      const options = { expiration: { type: 'EX', value: 100 }, mode: 'NX' };
      equal(await client.mSetEx({ a: '1', b: '2' }, options), 1);
      equal(await client.mSetEx({ b: '1', c: '2' }, options), 0);
      within(await client.ttl('a'), 99, 100);
      equal(await client.exists('c'), 0);
    },
  },

  async counting({ client }) {
    equal(await client.incr('n'), 1);
    equal(await client.incrBy('n', 41), 42);
    equal(await client.decr('n'), 41);
    equal(await client.decrBy('n', 11), 30);
    // fakeredis-py#557: a bulk string in both protocols.
    equal(await client.incrByFloat('n', 0.5), '30.5');
    await rejects(client.incr('n'), 'SimpleError', 'value is not an integer or out of range');
    await client.set('n', '9223372036854775807');
    await rejects(client.incr('n'), 'SimpleError', 'increment or decrement would overflow');
  },

  incrEx: {
    command: 'increx',
    async check({ client }) {
      equal(await client.increx('n', { by: 5 }), [5, 5]);
      equal(await client.increx('n', { by: 10, upperBound: 12, saturate: true }), [12, 7]);
    },
  },

  async lcs({ client }) {
    await client.mSet({ a: 'ohmytext', b: 'mynewtext' });
    equal(await client.lcs('a', 'b'), 'mytext');
    equal(await client.lcsLen('a', 'b'), 6);
    equal(await client.lcsIdx('a', 'b'),
      { matches: [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], len: 6 });
    equal(await client.lcsIdxWithMatchLen('a', 'b', { MINMATCHLEN: 4 }),
      { matches: [[[4, 7], [5, 8], 4]], len: 6 });
  },

  async keys({ client, open }) {
    await client.mSet({ a: '1', b: '2', c: '3' });
    equal(await client.exists(['a', 'b', 'x']), 2);
    equal(await client.touch(['a', 'x']), 1);
    equal(await client.del(['a', 'x']), 1);
    equal(await client.unlink(['b', 'x']), 1);
    equal(await client.type('c'), 'string');
    equal(await client.rename('c', 'd'), 'OK');
    equal(await client.renameNX('d', 'd2'), 1);
    equal(await client.copy('d2', 'e'), 1);
    equal(await client.copy('d2', 'e', { REPLACE: true, DB: 1 }), 1);
    equal(await client.move('e', 2), 1);
    equal(await client.keys('*'), ['d2']);
    equal(await client.randomKey(), 'd2');
    equal(await client.objectEncoding('d2'), 'int');
    equal(await client.dbSize(), 1);
    equal(await client.swapDb(0, 2), 'OK');
    equal(await client.keys('*'), ['e']);
    const other = await open({ database: 2 });
    equal(await other.flushDb('ASYNC'), 'OK');
    equal(await client.flushAll('SYNC'), 'OK');
    await rejects(client.rename('x', 'y'), 'SimpleError', 'no such key');
    await rejects(client.select(99), 'SimpleError', 'DB index is out of range');
  },

  async expiry({ client }) {
    await client.set('key', 'v');
    equal(await client.expire('key', 100), 1);
    equal(await client.expire('key', 100, 'NX'), 0);
    equal(await client.expire('key', 200, 'GT'), 1);
    equal(await client.pExpire('key', 5000, 'LT'), 1);
    within(await client.pTTL('key'), 4000, 5000);
    const at = new Date((Math.floor(Date.now() / 1000) + 1000) * 1000);
    equal(await client.expireAt('key', at), 1);
    equal(await client.expireTime('key'), at.getTime() / 1000);
    equal(await client.persist('key'), 1);
    equal([await client.ttl('key'), await client.ttl('missing')], [-1, -2]);
    await client.pExpire('key', 20);
    await eventually(async () => (await client.dbSize()) === 0, 'the key expires');
  },

  async scan({ client }) {
    const names = Array.from({ length: 2000 }, (_, i) => `key:${i}`);
    await client.mSet(names.map((name) => [name, 'v']));
    const found = new Set();
    for await (const part of client.scanIterator({ COUNT: 100 })) part.forEach((k) => found.add(k));
    equal([...found].sort(), names.sort());
    const few = [];
    const options = { MATCH: 'key:199*', COUNT: 1000, TYPE: 'string' };
    for await (const part of client.scanIterator(options)) few.push(...part);
    equal(few.length, 11);
    equal(typeof (await client.scan('0')).cursor, 'string');
  },

  async pipelines({ client }) {
    const replies = await client.multi().set('a', '1').incr('a').get('x').get('a').execAsPipeline();
    equal(replies, ['OK', 2, null, '2']);
    // Requests of one turn of the event loop go out in one write.
    const many = await Promise.all(Array.from({ length: 20000 }, (_, i) =>
      i % 2 ? client.get(`k${i - 1}`) : client.set(`k${i}`, `${i}`)));
    isTrue(many.every((reply, i) => reply === (i % 2 ? `${i - 1}` : 'OK')), 'the replies in order');
    const settled = await Promise.allSettled(
      [client.set('t', 'x'), client.incr('t'), client.get('t')]);
    equal(settled.map((one) => one.status), ['fulfilled', 'rejected', 'fulfilled']);
  },

  async sendCommand({ client }) {
    equal(await client.sendCommand(['SET', 'key', 'v', 'EX', '100']), 'OK');
    equal(await client.sendCommand(['get', 'key']), 'v');
    await rejects(client.sendCommand(['NOTHING', 'a']), 'SimpleError',
      "unknown command 'NOTHING', with args beginning with: 'a' ");
    await rejects(client.sendCommand(['GET']), 'SimpleError',
      "wrong number of arguments for 'get' command");
    await rejects(client.sendCommand(['CLIENT', 'X']), 'SimpleError',
      "unknown subcommand 'X'. Try CLIENT HELP.");
  },

  async binaryAndBigValues({ client }) {
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const key = Buffer.concat([Buffer.from('\r\n$-1\r\n\0'), every]);
    equal(await bytes.set(key, every), 'OK');
    isTrue((await bytes.get(key)).equals(every), 'another value came back');
    equal((await bytes.keys('*')).map((name) => name.equals(key)), [true]);
    const big = Buffer.alloc(20 * 1024 * 1024, every);
    equal(await bytes.set('big', big), 'OK');
    isTrue((await bytes.get('big')).equals(big), 'another big value came back');
    equal(await client.strLen('big'), big.length);
  },

  async clients({ client, open }) {
    const other = await open({ name: 'other' });
    const id = await other.clientId();
    const list = await client.clientList();
    equal(list.find((entry) => entry.name === 'other').id, id);
    equal((await client.clientList({ ID: [String(id)] })).length, 1);
    equal(await client.clientSetName('mine'), 'OK');
    equal(await client.clientGetName(), 'mine');
    equal(await client.clientNoEvict(true), 'OK');
    equal(await client.clientPause(1, 'WRITE'), 'OK');
    equal(await client.clientUnpause(), 'OK');
    equal(await client.clientKill({ filter: 'ID', id }), 1);
    await rejects(other.ping(), 'SocketClosedUnexpectedlyError', '').catch(() =>
      rejects(other.ping(), 'ClientClosedError', ''));
  },

  async serverCommands({ client, server }) {
    const info = await client.info();
    isTrue(/redis_version:\d+\.\d+/.test(info), 'INFO has no redis_version');
    isTrue((await client.info('everything')).includes('cmdstat_'), 'INFO everything');
    equal((await client.configGet('databases')).databases, '16');
    equal({ ...(await client.configGet(['port', 'maxmemory'])) },
      { port: String(server.port), maxmemory: '0' });
    equal(await client.configSet('timeout', '300'), 'OK');
    equal(await client.configSet({ timeout: '0', 'maxmemory-samples': '5' }), 'OK');
    equal(await client.configResetStat(), 'OK');
    await rejects(client.configRewrite(), 'SimpleError', 'without a config file');
    equal(await client.memoryUsage('missing'), null);
    isTrue((await client.memoryStats())['keys.count'] === 0, 'MEMORY STATS');
    const [seconds] = await client.time();
    within(Number(seconds), 1.7e9, 5e9);
    isTrue((await client.sendCommand(['LOLWUT'])).includes('ver'), 'LOLWUT');
  },

  // RedisInsight#902, dragonfly#2135: an empty list, not an error.
  modules: {
    command: 'module|list',
    waits: true,
    async check({ client }) {
      equal(await client.moduleList(), []);
    },
  },

  async commandTable({ client }) {
    const table = await client.command();
    const get = table.find((entry) => entry.name === 'get');
    equal([get.arity, get.firstKeyIndex, get.lastKeyIndex, get.step], [2, 1, 1, 1]);
    equal(await client.commandCount(), table.length);
    equal((await client.commandInfo(['set', 'nothing'])).map((entry) => entry?.name ?? null),
      ['set', null]);
    equal(await client.commandGetKeys(['MSET', 'a', '1', 'b', '2']), ['a', 'b']);
    equal(await client.commandGetKeysAndFlags(['GET', 'k']),
      [{ key: 'k', flags: ['RO', 'access'] }]);
    isTrue((await client.commandList()).includes('config|get'), 'COMMAND LIST');
    const filter = { FILTERBY: { type: 'PATTERN', value: 'getr*' } };
    equal(await client.commandList(filter), ['getrange']);
    isTrue(await client.commandDocs('get'), 'COMMAND DOCS');
  },

  async pool({ server, protocol }) {
    const socket = { host: '127.0.0.1', port: server.port };
    const size = { minimum: 2, maximum: 20 };
    const pool = await createClientPool({ RESP: protocol, socket }, size).connect();
    try {
      await Promise.all(Array.from({ length: 500 }, (_, i) => pool.set(`p${i}`, `${i}`)));
      equal(await pool.get('p499'), '499');
      const ids = await Promise.all(Array.from({ length: 30 }, () =>
        pool.execute(async (own) => [await own.clientId(), await own.incr('total')])));
      isTrue(new Set(ids.map(([id]) => id)).size > 1, 'several connections work');
      equal(await pool.get('total'), '30');
    } finally {
      pool.destroy();
    }
  },

  async duplicateAndUrl({ client, server, protocol }) {
    const twin = await client.duplicate().connect();
    equal(await twin.set('key', 'v'), 'OK');
    equal(await client.get('key'), 'v');
    twin.destroy();
    const url = createClient({ url: `redis://127.0.0.1:${server.port}/4`, RESP: protocol });
    await url.connect();
    equal((await url.clientInfo()).db, 4);
    await url.close();
    const unix = createClient({ RESP: protocol, socket: { path: server.socketPath } });
    await unix.connect();
    equal(await unix.get('key'), 'v');
    await unix.close();
  },

  async manyConnections({ client, open }) {
    const many = await Promise.all(Array.from({ length: 100 }, (_, i) => open({ name: `c${i}` })));
    equal(await Promise.all(many.map((one, i) => one.set(`k${i}`, i))), many.map(() => 'OK'));
    equal(await Promise.all(many.map((one, i) => one.get(`k${99 - i}`))),
      many.map((_, i) => `${99 - i}`));
    const names = new Set((await client.clientList()).map((entry) => entry.name));
    isTrue(many.every((_, i) => names.has(`c${i}`)), 'CLIENT LIST has all of them');
    many.forEach((one) => one.destroy());
    await eventually(async () => (await client.clientList()).length <= 2, 'they are gone');
  },

  // dragonfly#8006, dragonfly#2454: caching in the client.
  clientSideCache: {
    command: 'client|tracking',
    waits: true,
    resp3: true,
    async check({ client, open }) {
      const clientSideCache = { ttl: 0, maxEntries: 10, evictPolicy: 'LRU' };
      const cached = await open({ clientSideCache });
      await client.set('key', '1');
      equal(await cached.get('key'), '1');
      await client.set('key', '2');
      await eventually(async () => (await cached.get('key')) === '2', 'the cache is told');
    },
  },

  transaction: {
    command: 'multi',
    waits: true,
    async check({ client }) {
      equal(await client.multi().set('a', '1').incr('a').exec(), ['OK', 2]);
    },
  },

  wrongType: {
    command: 'lpush',
    waits: true,
    async check({ client }) {
      await client.lPush('list', 'x');
      await rejects(client.get('list'), 'SimpleError', 'WRONGTYPE Operation against a key');
    },
  },

  async reconnect({ protocol, threads }) {
    const server = await Server.start(threads);
    try {
      const own = createClient({ RESP: protocol, socket: {
        host: '127.0.0.1', port: server.port, reconnectStrategy: () => 20,
      } });
      own.on('error', () => {});
      await own.connect();
      equal(await own.set('key', '1'), 'OK');
      await server.stop();
      const later = own.set('key', '2');
      await server.start();
      equal(await later, 'OK');
      equal(await own.get('key'), '2');
      own.destroy();
    } finally {
      await server.close();
    }
  },

  async password({ protocol, threads }) {
    const server = await Server.start(threads, '--requirepass', 's3c:ret/');
    try {
      const at = `127.0.0.1:${server.port}`;
      const connect = async (url) => {
        const own = createClient({ url, RESP: protocol, socket: { reconnectStrategy: false } });
        own.on('error', () => {});
        try {
          await own.connect();
          return await own.set('key', 'v');
        } finally {
          if (own.isOpen) own.destroy();
        }
      };
      equal(await connect(`redis://:s3c%3Aret%2F@${at}`), 'OK');
      equal(await connect(`redis://default:s3c%3Aret%2F@${at}/3`), 'OK');
      await rejects(connect(`redis://:wrong@${at}`), 'SimpleError',
        'WRONGPASS invalid username-password pair or user is disabled.');
      await rejects(connect(`redis://${at}`), 'SimpleError', 'NOAUTH');
    } finally {
      await server.close();
    }
  },
};
