// BullMQ, whose every step is a script, and the older pattern of Bull: a loop of BRPOPLPUSH.

import { equal, eventually } from '../node/checks.mjs';
import { Queue, QueueEvents, Redis, Worker } from './libraries.mjs';

export const checks = {
  'BullMQ': {
    command: 'eval',
    async check({ port }) {
      const connection = { port, maxRetriesPerRequest: null };
      const queue = new Queue('jobs', { connection });
      const events = new QueueEvents('jobs', { connection });
      await events.waitUntilReady();
      const run = async (job) => {
        if (job.name === 'fail') throw new Error('broken');
        return job.data.number * 2;
      };
      const worker = new Worker('jobs', run, { connection, concurrency: 4 });
      const jobs = await queue.addBulk(
        Array.from({ length: 30 }, (_, number) => ({ name: 'double', data: { number } })),
      );
      const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 20000)));
      equal(results, jobs.map((job) => job.data.number * 2));
      const late = await queue.add('late', { number: 4 }, { delay: 100 });
      equal(await late.waitUntilFinished(events, 20000), 8);
      await queue.add('fail', {}, { attempts: 2 });
      await eventually(async () => (await queue.getFailedCount()) === 1, 'it fails in the end');
      await Promise.all([worker.close(), events.close()]);
      await queue.close();
    },
  },
  // dragonfly#7650: replies were lost, and jobs with them.
  async 'BRPOPLPUSH in a loop'({ port }) {
    const [producer, ...consumers] = Array.from({ length: 5 }, () => new Redis({ port }));
    const taken = [];
    const consume = async (client) => {
      for (;;) {
        const job = await client.brpoplpush('wait', 'active', 5);
        if (job === 'end') return;
        if (job !== null) taken.push(job);
        await client.lrem('active', 1, job);
      }
    };
    const ends = consumers.map(consume);
    const wanted = Array.from({ length: 500 }, (_, number) => `job${number}`);
    for (const job of wanted) producer.lpush('wait', job);
    for (const _ of consumers) producer.lpush('wait', 'end');
    await Promise.all(ends);
    equal(taken.sort(), wanted.sort());
    equal(await producer.llen('active'), 4);
    [producer, ...consumers].forEach((client) => client.disconnect());
  },
};
