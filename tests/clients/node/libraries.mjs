// The libraries under test, from the place where `run` installed them.

import { createRequire } from 'node:module';

const require = createRequire(`${process.env.CLIENTS_NODE}/`);

export const redis = require('redis');
export const { Redis } = require('ioredis');
export const versions = {
  redis: require('redis/package.json').version,
  client: require('@redis/client/package.json').version,
  ioredis: require('ioredis/package.json').version,
};
