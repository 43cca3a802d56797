// A server process of the test's own, as ../shared/server.py starts it for the other languages:
// a free port, a unix socket, an empty directory. REDDLE_BIN names the program; another make of
// server is told by the name of its file, and gets no option that only Reddle has.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BINARY = process.env.REDDLE_BIN;
const READY = 'Ready to accept connections';
const START_MS = 20000;
const STOP_MS = 20000;

export const IS_PEER = ['redis-server', 'valkey-server'].includes(path.basename(BINARY));
export const THREADS = IS_PEER ? [1] : [1, 4];

export class Server {
  static async start(threads, ...options) {
    const server = new Server();
    server.threads = threads;
    server.options = options;
    server.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'reddle-clients-'));
    server.socketPath = path.join(server.directory, 'socket');
    server.logPath = path.join(server.directory, 'log');
    await server.start();
    return server;
  }

  /** Starts the server, on the former port if it has run before. */
  async start() {
    for (let attempt = 0; attempt < 5; attempt++) {
      const port = this.port ?? (await freePort());
      if (await this.#startOn(port)) {
        this.port = port;
        return;
      }
    }
    throw new Error(`the server did not start:\n${this.log()}`);
  }

  async #startOn(port) {
    const line = ['--port', port, '--bind', '127.0.0.1', '--dir', this.directory];
    line.push('--unixsocket', this.socketPath, '--save', '', '--appendonly', 'no');
    if (!IS_PEER) line.push('--threads', this.threads);
    const before = this.log().length;
    const log = fs.openSync(this.logPath, 'a');
    this.process = spawn(BINARY, [...line, ...this.options].map(String), {
      stdio: ['ignore', log, log],
    });
    fs.closeSync(log);
    this.ended = once(this.process, 'exit').then(([code]) => code);
    const deadline = Date.now() + START_MS;
    while (Date.now() < deadline && this.process.exitCode === null) {
      if (this.log().slice(before).includes(READY)) return true;
      await sleep(5);
    }
    this.process.kill('SIGKILL');
    await this.ended;
    return false;
  }

  /** Stops the server; an error if it does not end by itself, or not well. */
  async stop() {
    if (!this.process) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    const code = await this.ended;
    clearTimeout(timer);
    this.process = undefined;
    if (code !== 0) throw new Error(`the server ended with ${code}:\n${this.log().slice(-3000)}`);
  }

  /** Stops the server for good; an error if it panicked at any time. */
  async close() {
    try {
      await this.stop();
      const log = this.log();
      if (log.includes('panicked at')) throw new Error(`it panicked:\n${log.slice(-3000)}`);
    } finally {
      fs.rmSync(this.directory, { recursive: true, force: true });
    }
  }

  log() {
    return fs.existsSync(this.logPath) ? fs.readFileSync(this.logPath, 'utf8') : '';
  }
}

/** A port below those that the kernel hands out, so that no connection of ours takes it. */
async function freePort() {
  for (;;) {
    const port = 20000 + Math.floor(Math.random() * 10000);
    const probe = net.createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) {
      await new Promise((resolve) => probe.close(resolve));
      return port;
    }
  }
}
