// Sessions of Express in connect-redis, over HTTP as a browser would do it.

import { once } from 'node:events';
import http from 'node:http';

import { equal, isTrue } from '../node/checks.mjs';
import { express, RedisStore, session } from './libraries.mjs';

/** An application that counts visits, and what asks it with a browser's memory for cookies. */
async function site(client, options = {}) {
  const store = new RedisStore({ client, prefix: 'site:', ttl: 100, ...options });
  const app = express();
  app.use(session({ store, secret: 'checks', resave: false, saveUninitialized: false }));
  app.get('/visit', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    response.json(request.session.visits);
  });
  app.get('/leave', (request, response) => {
    request.session.destroy((error) => response.json(error ?? 'gone'));
  });
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = () => {
    let cookie = '';
    return async (path) => {
      const url = `http://127.0.0.1:${server.address().port}${path}`;
      const response = await fetch(url, { headers: { cookie } });
      cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
      return response.json();
    };
  };
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { store, browser, end };
}

const call = (store, name, ...rest) => new Promise((resolve, reject) => {
  store[name](...rest, (error, value) => (error ? reject(error) : resolve(value)));
});

export const checks = {
  async 'a session lasts over requests'({ client }) {
    const { browser, end } = await site(client);
    try {
      const [one, other] = [browser(), browser()];
      equal([await one('/visit'), await one('/visit'), await other('/visit')], [1, 2, 1]);
      const keys = await client.keys('site:*');
      equal(keys.length, 2);
      isTrue((await client.ttl(keys[0])) > 90, 'a session has a time to live');
      equal(await one('/leave'), 'gone');
      equal(await client.dbSize(), 1);
      equal(await one('/visit'), 1);
    } finally {
      end();
    }
  },
  async 'many requests of one session at a time'({ client }) {
    const { browser, end } = await site(client);
    try {
      const ask = browser();
      await ask('/visit');
      const visits = await Promise.all(Array.from({ length: 20 }, () => ask('/visit')));
      isTrue(visits.every((count) => count >= 2 && count <= 21), `got ${visits}`);
    } finally {
      end();
    }
  },
  async 'what a store offers besides'({ client }) {
    const { store, end } = await site(client, { scanCount: 10 });
    try {
      const cookie = { originalMaxAge: null };
      for (let number = 0; number < 50; number++) {
        await call(store, 'set', `id${number}`, { cookie, number });
      }
      equal(await call(store, 'length'), 50);
      equal((await call(store, 'ids')).sort().slice(0, 3), ['id0', 'id1', 'id10']);
      const all = await call(store, 'all');
      equal(all.map((one) => one.number).sort((a, b) => a - b)[49], 49);
      equal((await call(store, 'get', 'id7')).number, 7);
      equal(await call(store, 'get', 'missing'), null);
      await client.expire('site:id7', 10);
      await call(store, 'touch', 'id7', { cookie });
      isTrue((await client.ttl('site:id7')) > 90, 'touch makes it last longer');
      await call(store, 'destroy', 'id7');
      equal(await call(store, 'length'), 49);
      await call(store, 'clear');
      equal(await client.dbSize(), 0);
    } finally {
      end();
    }
  },
};
