// The frameworks under test, from the place where `run` installed them.

import { createRequire } from 'node:module';

const require = createRequire(`${process.env.CLIENTS_FRAMEWORKS}/`);

export const express = require('express');
export const session = require('express-session');
export const { RedisStore } = require('connect-redis');
export const redis = require('redis');
export const { Redis } = require('ioredis');
export const { Server: SocketServer } = require('socket.io');
export const { io: connectSocket } = require('socket.io-client');
export const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter');
export const { Queue, QueueEvents, Worker } = require('bullmq');
export const { RateLimiterRedis } = require('rate-limiter-flexible');
export const { Mutex, MultiSemaphore, RedlockMutex, Semaphore } = require('redis-semaphore');
export const { default: Redlock } = require('redlock');
