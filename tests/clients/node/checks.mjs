// What a check may say, and the report over all of them. A check that names a command is left out
// when it `waits` for a command that the server does not have yet, or when another make of server
// lacks the command; Reddle must have it.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

const CHECK_MS = 30000;

export class Report {
  passed = 0;
  failed = 0;
  #waiting = new Map();

  async run(title, check) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${CHECK_MS} ms`)), CHECK_MS);
    });
    try {
      await Promise.race([check(), late]);
      this.passed += 1;
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED ${title}: ${describe(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  wait(title, command) {
    this.#waiting.set(command, (this.#waiting.get(command) ?? new Set()).add(title));
  }

  end() {
    for (const [command, titles] of this.#waiting) {
      console.log(`left out until the server has ${command}: ${[...titles].join(', ')}`);
    }
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed || !this.passed ? 1 : 0;
  }
}

/** Equal in value and type; an object without a prototype counts as one with. */
export function equal(got, wanted, what = '') {
  try {
    assert.deepStrictEqual(plain(got), plain(wanted));
  } catch {
    const more = what ? `${what}: ` : '';
    throw new assert.AssertionError({ message: `${more}got ${short(got)}, not ${short(wanted)}` });
  }
}

export function isTrue(condition, what) {
  if (!condition) throw new assert.AssertionError({ message: what });
}

export function within(got, low, high) {
  isTrue(got >= low && got <= high, `got ${got}, not ${low}..${high}`);
}

/** The error of a promise, whose class and text must be these. */
export async function rejects(promise, name, text) {
  let got;
  try {
    got = await promise;
  } catch (error) {
    const fits = error.constructor.name === name && error.message.includes(text);
    isTrue(fits, `failed with ${error.constructor.name}(${error.message}), not ${name}(${text})`);
    return error;
  }
  throw new assert.AssertionError({ message: `gave ${short(got)}, not ${name}(${text})` });
}

/** Waits for what happens in the background. */
export async function eventually(condition, what, ms = 10000) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    isTrue(Date.now() < deadline, `not within ${ms} ms: ${what}`);
    await sleep(2);
  }
}

function plain(value) {
  if (Buffer.isBuffer(value) || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map || value instanceof Set || value instanceof Error) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

function short(value) {
  const text = inspect(value, { depth: 6, breakLength: Infinity, compact: true });
  return text.length > 400 ? `${text.slice(0, 300)}... (${text.length} characters)` : text;
}

function describe(error) {
  const line = /\((?:file:\/\/)?[^)]*\/(\w+\.mjs:\d+)/;
  const stack = (error.stack ?? '').split('\n').filter((row) => !row.includes('checks.mjs'));
  const place = stack.map((row) => line.exec(row)?.[1]).find(Boolean);
  const name = error instanceof assert.AssertionError ? '' : `${error.constructor.name}: `;
  return `${name}${error.message}${place ? ` (${place})` : ''}`;
}
