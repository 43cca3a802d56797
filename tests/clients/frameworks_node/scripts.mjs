// Locks, limiters and semaphores that are scripts.

import { equal, eventually, isTrue } from '../node/checks.mjs';
import { MultiSemaphore, Mutex, RateLimiterRedis, Redis, RedlockMutex, Redlock, Semaphore, redis }
  from './libraries.mjs';

const only = (check) => ({ command: 'eval', check });

/** Runs a check with clients of ioredis, which are closed afterwards. */
const connected = (count, check) => only(async ({ client, port }) => {
  const clients = Array.from({ length: count }, () => new Redis({ port }));
  try {
    await check({ client, clients });
  } finally {
    clients.forEach((each) => each.disconnect());
  }
});

/** What a promise was rejected with. */
const rejection = async (promise) => {
  const [{ status, reason }] = await Promise.allSettled([promise]);
  equal(status, 'rejected');
  return reason;
};

export const checks = {
  'redlock': connected(1, async ({ client, clients }) => {
    const redlock = new Redlock(clients, { retryCount: 2, retryDelay: 20 });
    const lock = await redlock.acquire(['one', 'two'], 5000);
    equal(await client.get('one'), lock.value);
    isTrue(await client.pTTL('two') <= 5000, 'it expires');
    isTrue((await rejection(redlock.acquire(['two'], 1000))).message.includes('quorum'), 'taken');
    const longer = await lock.extend(60000);
    isTrue(await client.pTTL('one') > 50000, 'it was extended');
    await longer.release();
    equal(await client.exists(['one', 'two']), 0);
    let inside = 0;
    const run = () => redlock.using(['three'], 5000, { retryCount: 200 }, async () => {
      inside += 1;
      equal(inside, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    });
    await Promise.all(Array.from({ length: 10 }, run));
    equal(await client.exists('three'), 0);
  }),
  'rate-limiter-flexible': connected(1, async ({ client, clients: [storeClient] }) => {
    const limiter = new RateLimiterRedis({ storeClient, points: 5, duration: 10, keyPrefix: 'r' });
    for (let left = 4; left >= 0; left -= 1) {
      equal((await limiter.consume('user')).remainingPoints, left);
    }
    const refused = await rejection(limiter.consume('user'));
    equal([refused.remainingPoints, refused.consumedPoints], [0, 6]);
    isTrue(refused.msBeforeNext > 0 && refused.msBeforeNext <= 10000, 'it says how long to wait');
    equal((await limiter.get('user')).consumedPoints, 6);
    equal((await limiter.reward('user', 3)).consumedPoints, 3);
    await limiter.block('user', 100);
    isTrue(await client.pTTL('r:user') > 90000, 'it is blocked');
    equal(await limiter.delete('user'), true);
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => limiter.consume('crowd')),
    );
    equal(all.filter((each) => each.status === 'fulfilled').length, 5);
  }),
  'rate-limiter-flexible on node-redis': only(async ({ port }) => {
    const storeClient = redis.createClient({ socket: { port } });
    await storeClient.connect();
    const limiter = new RateLimiterRedis({
      storeClient, useRedisPackage: true, points: 2, duration: 10, keyPrefix: 'n',
    });
    equal((await limiter.consume('user')).remainingPoints, 1);
    equal((await limiter.consume('user')).remainingPoints, 0);
    equal((await rejection(limiter.consume('user'))).consumedPoints, 3);
    storeClient.destroy();
  }),
  'redis-semaphore mutex': connected(2, async ({ client, clients: [one, other] }) => {
    const options = { lockTimeout: 5000, acquireTimeout: 100, retryInterval: 10 };
    const mutex = new Mutex(one, 'lock', options);
    await mutex.acquire();
    isTrue(mutex.isAcquired, 'it is acquired');
    equal(await client.exists('mutex:lock'), 1);
    const error = await rejection(new Mutex(other, 'lock', options).acquire());
    isTrue(error.message.includes('timeout'), 'it waits no longer');
    await mutex.release();
    equal(await client.exists('mutex:lock'), 0);
    const short = new Mutex(one, 'short', { lockTimeout: 200, refreshInterval: 50 });
    await short.acquire();
    await new Promise((resolve) => setTimeout(resolve, 500));
    equal(await client.exists('mutex:short'), 1, 'it was refreshed');
    await short.release();
    const red = new RedlockMutex([one], 'red', options);
    await red.acquire();
    await red.release();
  }),
  'redis-semaphore': connected(1, async ({ client, clients: [one] }) => {
    const options = { lockTimeout: 5000, acquireTimeout: 5000, retryInterval: 5 };
    let inside = 0;
    let most = 0;
    const run = async () => {
      const semaphore = new Semaphore(one, 'pool', 3, options);
      await semaphore.acquire();
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 10));
      inside -= 1;
      await semaphore.release();
    };
    await Promise.all(Array.from({ length: 12 }, run));
    equal(most, 3);
    equal(await client.exists('semaphore:pool'), 0);
    const many = new MultiSemaphore(one, 'many', 5, 4, options);
    await many.acquire();
    equal(await client.zCard('semaphore:many'), 4);
    await many.release();
  }),
  'ioredis commands of one\'s own': connected(1, async ({ client, clients: [one] }) => {
    one.defineCommand('take', {
      numberOfKeys: 1,
      lua: `local left = tonumber(redis.call('GET', KEYS[1]) or ARGV[1])
            if left < 1 then return redis.error_reply('EMPTY nothing is left') end
            redis.call('SET', KEYS[1], left - 1)
            return {left - 1, 'left', false}`,
    });
    equal(await one.take('stock', 2), [1, 'left', null]);
    await client.scriptFlush();
    const [[, first], [failed]] = await one.pipeline().take('stock', 2).take('stock', 2).exec();
    equal(first, [0, 'left', null]);
    isTrue(failed.message.startsWith('EMPTY nothing is left'), failed.message);
    const both = await one.multi().incr('stock').take('stock', 2).exec();
    equal(both.map(([, reply]) => reply), [1, [0, 'left', null]]);
  }),
  'a limiter in many clients': connected(4, async ({ client, clients }) => {
    const script = `
      local now = redis.call('TIME')
      now = now[1] * 1000000 + now[2]
      redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
      if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
        redis.call('ZADD', KEYS[1], now, now .. ':' .. ARGV[3])
        redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 1000))
        return 1
      end
      return 0`;
    const replies = await Promise.all(Array.from({ length: 200 }, (_, number) =>
      clients[number % clients.length].eval(script, 1, 'window', 60000000, 50, number)));
    equal(replies.reduce((sum, reply) => sum + reply), 50);
    equal(await client.zCard('window'), 50);
    await eventually(async () => (await client.pTTL('window')) <= 60000, 'it expires');
  }),
};
