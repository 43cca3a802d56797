"""Queues of tasks: Celery with its broker and results here, and RQ."""

import contextlib
import threading
import time

import redis

from checks import equal, eventually, once, raises, true

# Short times between the looks of Celery and its broker, so that checks do not wait for them.
TRANSPORT = {"visibility_timeout": 30, "polling_interval": 0.05, "health_check_interval": 10}

# What the task that is tried again has seen. One list for all applications: a worker may run the task
# of an application that came before.
ATTEMPTS = []


def add(one, other):
    return one + other


def total(numbers):
    return sum(numbers)


def fail(text):
    raise ValueError(text)


def celery_app(place):
    from celery import Celery

    app = Celery("checks", broker=f"{place.url}/3", backend=f"{place.url}/4", set_as_current=False)
    app.conf.update(
        broker_transport_options=TRANSPORT, result_expires=100, task_default_retry_delay=0,
        worker_hijack_root_logger=False, broker_connection_retry_on_startup=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )

    @app.task(name="again", bind=True, max_retries=3)
    def again(self):
        ATTEMPTS.append(self.request.retries)
        if self.request.retries < 2:
            raise self.retry(countdown=0)
        return list(ATTEMPTS)

    app.task(name="add")(add)
    app.task(name="fail")(fail)
    app.task(name="total")(total)
    return app


@contextlib.contextmanager
def celery_worker(app):
    from celery.contrib.testing.worker import start_worker

    with start_worker(
        app, pool="threads", concurrency=4, perform_ping_check=False, loglevel="CRITICAL",
        shutdown_timeout=30, without_heartbeat=True,
    ):
        yield


def check_celery_sends(place):
    """What needs no worker: tasks are queued, found, and thrown away."""
    app = celery_app(place)
    result = app.tasks["add"].delay(1, 2)
    app.tasks["add"].apply_async((3, 4), queue="other")
    broker = redis.Redis(port=place.port, db=3)
    equal([broker.llen("celery"), broker.llen("other")], [1, 1])
    broker.close()
    equal((result.state, result.ready()), ("PENDING", False))
    app.backend.store_result(result.id, 3, "SUCCESS")
    equal((result.get(timeout=10), result.state), (3, "SUCCESS"))
    equal(app.control.purge(), 1)
    app.close()


@once("EVALSHA")
def check_celery(place):
    from celery import chain, chord, group

    app = celery_app(place)
    tasks = app.tasks
    with celery_worker(app):
        results = [tasks["add"].delay(number, number) for number in range(50)]
        equal([result.get(timeout=20) for result in results], [n * 2 for n in range(50)])
        ATTEMPTS.clear()
        equal(tasks["again"].delay().get(timeout=20), [0, 1, 2])
        raises(ValueError, "broken", tasks["fail"].delay("broken").get, timeout=20)
        equal(chain(tasks["add"].s(1, 2), tasks["add"].s(4))().get(timeout=20), 7)
        numbers = group(tasks["add"].s(number, 1) for number in range(10))
        equal(numbers().get(timeout=20), list(range(1, 11)))
        header = [tasks["add"].s(number, 1) for number in range(10)]
        equal(chord(header)(tasks["total"].s()).get(timeout=20), 55)
        late = tasks["add"].apply_async((1, 1), countdown=0.2)
        equal(late.get(timeout=20), 2)
    app.close()


@once("EVALSHA")
def check_celery_control(place):
    """Remote control is a fan-out over channels, with replies in a list."""
    app = celery_app(place)
    with celery_worker(app):
        replies = []
        eventually(lambda: replies.extend(app.control.ping(timeout=0.5)) or replies, "a reply")
        equal([list(reply.values()) for reply in replies[:1]], [[{"ok": "pong"}]])
        stats = app.control.inspect(timeout=2).registered()
        true(any("add" in names for names in stats.values()), "the tasks are told")
    app.close()


@once("EVALSHA")
def check_celery_takes_up_what_waited(place):
    app = celery_app(place)
    results = [app.tasks["add"].delay(number, 1) for number in range(20)]
    broker = redis.Redis(port=place.port, db=3)
    equal(broker.llen("celery"), 20)
    with celery_worker(app):
        equal([result.get(timeout=20) for result in results], list(range(1, 21)))
        eventually(lambda: broker.hlen("unacked") == 0, "all are acknowledged")
    equal(broker.llen("celery"), 0)
    equal(app.control.purge(), 0)
    broker.close()
    app.close()


@once("EVALSHA")
def check_kombu_priorities(place):
    import kombu

    connection = kombu.Connection(
        f"{place.url}/5",
        transport_options={"priority_steps": [0, 3, 6, 9], "queue_order_strategy": "priority"},
    )
    with connection, connection.SimpleQueue("jobs") as queue:
        for priority in (6, 0, 9, 3):
            queue.put({"priority": priority}, priority=priority)
        got = []
        for _ in range(4):
            message = queue.get(timeout=10)
            got.append(message.payload["priority"])
            message.ack()
        equal(got, [0, 3, 6, 9])
        raises(queue.Empty, "", queue.get, block=True, timeout=0.2)


def rq_worker(connection, queues):
    from rq import SimpleWorker

    worker = SimpleWorker(queues, connection=connection)
    # Signals go to the main thread alone, and a check may run elsewhere.
    worker._install_signal_handlers = lambda: None
    return worker


def check_rq_enqueues(place):
    from rq import Queue
    from rq.job import Job

    connection = redis.Redis(port=place.port, db=6)
    queue = Queue("jobs", connection=connection)
    first = queue.enqueue(add, 1, 2, job_id="first")
    queue.enqueue(add, 3, 4, job_id="second", at_front=True)
    equal(queue.job_ids, ["second", "first"])
    equal(Job.fetch("first", connection=connection).args, (1, 2))
    equal(queue.count, 2)
    equal(first.get_status().value, "queued")
    first.cancel()
    equal(queue.job_ids, ["second"])
    connection.close()


@once("EVAL")
def check_rq(place):
    from rq import Queue

    connection = redis.Redis(port=place.port, db=6)
    high, low = (Queue(name, connection=connection) for name in ("high", "low"))
    jobs = [low.enqueue(add, number, number) for number in range(10)]
    after = low.enqueue(add, 1, 1, depends_on=jobs[-1])
    broken = high.enqueue(fail, "broken")
    rq_worker(connection, [high, low]).work(burst=True, logging_level="CRITICAL")
    equal([job.return_value() for job in jobs], [number * 2 for number in range(10)])
    equal(after.return_value(), 2)
    equal(broken.get_status(refresh=True).value, "failed")
    true("ValueError" in broken.latest_result().exc_string, "the failure is kept")
    equal(high.failed_job_registry.get_job_ids(), [broken.id])
    connection.close()


def check_blocking_pops_under_reuse(place):
    """Many consumers pop, and push back to a list of their own, through one pool."""
    pool = redis.ConnectionPool(port=place.port)
    done = threading.Event()
    taken = []

    def consume():
        client = redis.Redis(connection_pool=pool)
        while not done.is_set():
            moved = client.blmove("in", "busy", 0.2, "RIGHT", "LEFT")
            if moved is not None:
                taken.append(moved)
                client.lrem("busy", 1, moved)

    threads = [threading.Thread(target=consume) for _ in range(8)]
    for thread in threads:
        thread.start()
    client = redis.Redis(port=place.port)
    for number in range(400):
        client.lpush("in", number)
    deadline = time.monotonic() + 20
    while len(taken) < 400 and time.monotonic() < deadline:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    equal(sorted(int(number) for number in taken), list(range(400)))
    equal(client.llen("busy"), 0)
    client.close()
    pool.disconnect()
