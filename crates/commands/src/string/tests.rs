//! What each command propagates and which events it makes, which no reply shows.

use keyspace::{Change, Db, KeyStats, Keyspace, Layout, Lazy, Parts, Stamp, Wants};
use resp::{Proto, Writer};

use crate::{Args, Ctx, Error, Settings, handlers};

/// The time of every command.
pub(crate) const NOW_MS: i64 = 1_000_000;

/// A keyspace and what the last command did to it.
pub(crate) struct Bench {
    keyspace: Keyspace,
    change: Change,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let layout = Layout { shards: 1, databases: 1, readers: 1, lanes: 1, seed: [7; 16] };
        let mut change = Change::default();
        change.set_wants(Wants(Wants::EVENTS.0 | Wants::KEYS.0 | Wants::LOG.0));
        Self { keyspace: Keyspace::new(layout), change }
    }

    /// Runs a command whose arguments have no blanks; returns its reply in RESP2.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let argv: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let args = Args::new(&argv, &[]);
        let name = line.split(' ').next().expect("a name").to_lowercase();
        let (command, handler) =
            handlers().find(|(command, _)| *command == name).expect("a command");
        self.with(command, |ctx| handler(ctx, &args))
    }

    /// Runs what a command does; returns its reply in RESP2.
    pub(crate) fn with(
        &mut self,
        command: &'static str,
        work: impl FnOnce(&mut Ctx<'_, '_>) -> Result<(), Error>,
    ) -> String {
        self.change.clear();
        let mut held = self.keyspace.shards().hold_one(0);
        let mut out = Writer::new(Proto::Resp2);
        let mut stats = KeyStats::default();
        let db = Db::new(Parts {
            keyspace: &self.keyspace,
            held: &mut held,
            change: &mut self.change,
            stats: &mut stats,
            hashed: &[],
            index: 0,
            stamp: Stamp::at(NOW_MS),
            touch: true,
        });
        let mut ctx = Ctx {
            db,
            out: &mut out,
            settings: &Settings::default(),
            output_max: usize::MAX,
            command,
            rng: &mut fastrand::Rng::with_seed(1),
            may_wait: false,
            in_script: false,
            wait: None,
        };
        if let Err(error) = work(&mut ctx) {
            error.write(command, &mut out);
        }
        let reply: Vec<u8> = out.chunks(0).flatten().copied().collect();
        String::from_utf8(reply).expect("the tests use ASCII")
    }

    /// One with the settings of a fresh configuration, which leaves what it can to the background.
    pub(crate) fn lazy() -> Self {
        let mut bench = Self::new();
        bench.change.set_lazy(Lazy { expire: true, replace: true });
        bench
    }

    /// What the last command did.
    pub(crate) fn change(&self) -> &Change {
        &self.change
    }

    /// The events of the last command.
    pub(crate) fn events(&self) -> String {
        let events: Vec<_> = self.change.notes().iter().map(|note| note.event).collect();
        events.join(" ")
    }

    /// What follows the last command in the log; `=` is the command as it came.
    pub(crate) fn log(&self) -> String {
        let text = |arg: &[u8]| String::from_utf8_lossy(arg).into_owned();
        let mut log: Vec<String> = Vec::new();
        for record in self.change.records() {
            log.push(record.argv.iter().map(|arg| text(arg)).collect::<Vec<_>>().join(" "));
        }
        if self.change.is_verbatim() && self.change.dirty() > 0 {
            log.push("=".to_owned());
        }
        log.join("; ")
    }
}

/// Each case: commands in front, the command, its events, and what is logged.
pub(crate) type Case = (&'static [&'static str], &'static str, &'static str, &'static str);

pub(crate) fn check(cases: &[Case]) {
    for (before, command, events, log) in cases {
        let mut bench = Bench::new();
        for line in *before {
            bench.run(line);
        }
        bench.run(command);
        assert_eq!(bench.events(), *events, "events of {command} after {before:?}");
        assert_eq!(bench.log(), *log, "log of {command} after {before:?}");
    }
}

#[test]
fn set_becomes_absolute_and_loses_what_held() {
    check(&[
        (&[], "SET k v", "new set", "="),
        (&["SET k v"], "SET k v", "overwritten set", "="),
        (&[], "SET k v EX 10", "new set expire", "SET k v PXAT 1010000"),
        (&[], "SET k v NX PX 10", "new set expire", "SET k v PXAT 1000010"),
        (&[], "SET k v EXAT 2000", "new set expire", "SET k v PXAT 2000000"),
        (&[], "SET k v PXAT 2000000", "new set expire", "="),
        (&[], "SET k v NX", "new set", "="),
        (&["SET k v"], "SET k w NX", "", ""),
        (&["SET k v"], "SET k w KEEPTTL GET XX get", "overwritten set", "SET k w KEEPTTL XX"),
        (&["SET k v"], "SET k w IFEQ v", "overwritten set", "SET k w"),
        (
            &["SET k v"],
            "SET k w PXAT 2000000 IFEQ v GET",
            "overwritten set expire",
            "SET k w PXAT 2000000",
        ),
        (&["SET k v"], "SET k w IFEQ w", "", ""),
        (&["SET k v"], "SET k w EXAT 1", "expired", "DEL k"),
        (&["SET k v"], "SET k w NX EXAT 1", "", ""),
        (&[], "SET k w EXAT 1", "", ""),
        (&[], "SETNX k v", "new set", "="),
        (&["SET k v"], "SETNX k v", "", ""),
        (&[], "SETEX k 10 v", "new set expire", "SET k v PXAT 1010000"),
        (&[], "PSETEX k 10 v", "new set expire", "SET k v PXAT 1000010"),
        (&["SET k v"], "GETSET k w", "overwritten set", "SET k w"),
    ]);
}

#[test]
fn reads_that_change_propagate_the_change() {
    check(&[
        (&["SET k v"], "GETEX k", "", ""),
        (&["SET k v"], "GETEX k EX 10", "expire", "PEXPIREAT k 1010000"),
        (&["SET k v"], "GETEX k PXAT 2000000", "expire", "PEXPIREAT k 2000000"),
        (&["SET k v"], "GETEX k PXAT 1", "expired", "DEL k"),
        (&["SET k v"], "GETEX k PERSIST", "", ""),
        (&["SET k v EX 10"], "GETEX k PERSIST", "persist", "PERSIST k"),
        (&[], "GETEX k EX 10", "keymiss", ""),
        (&["SET k v"], "GETDEL k", "del", "DEL k"),
        (&[], "GETDEL k", "keymiss", ""),
        (&["SET k v"], "DELIFEQ k v", "del", "DEL k"),
        (&["SET k v"], "DELIFEQ k w", "", ""),
        (&["SET k v"], "DELEX k IFNE w", "del", "DEL k"),
        (&["SET k v"], "DELEX k", "del", "DEL k"),
    ]);
}

#[test]
fn counters_propagate_what_came_out() {
    check(&[
        (&[], "INCR k", "new incrby", "="),
        (&["SET k 1"], "DECRBY k 3", "incrby", "="),
        (&["SET k v"], "INCR k", "", ""),
        (&["SET k 1"], "INCRBYFLOAT k 0.5", "incrbyfloat", "SET k 1.5 KEEPTTL"),
        (&[], "INCREX k", "new incrby", "SET k 1 KEEPTTL"),
        (&["SET k 1 EX 10"], "INCREX k PERSIST", "incrby persist", "SET k 2"),
        (&["SET k 1"], "INCREX k EX 10", "incrby expire", "SET k 2 PXAT 1010000"),
        (&["SET k 1 EX 10"], "INCREX k EX 99 ENX", "incrby", "SET k 2 KEEPTTL"),
        (&["SET k 1"], "INCREX k EX 99 ENX", "incrby expire", "SET k 2 PXAT 1099000"),
        (&["SET k 1"], "INCREX k BYFLOAT 0.5", "incrbyfloat", "SET k 1.5 KEEPTTL"),
        (&["SET k 1"], "INCREX k BYINT 9 UBOUND 4 SATURATE", "incrby", "SET k 4 KEEPTTL"),
        (&["SET k 1"], "INCREX k BYINT 9 UBOUND 4 EX 10", "", ""),
        (&["SET k 1"], "INCREX k EXAT 1", "expired", "DEL k"),
    ]);
}

#[test]
fn parts_and_several_keys() {
    check(&[
        (&[], "APPEND k v", "new append", "="),
        (&["SET k v"], "APPEND k v", "append", "="),
        (&["SET k v"], "SETRANGE k 1 w", "setrange", "="),
        (&[], "SETRANGE k 1 w", "new setrange", "="),
        (&[], "MSET a 1 b 2", "new set new set", "="),
        (&["SET a 1"], "MSETNX a 1 b 2", "", ""),
        (&[], "MSETNX a 1 b 2", "new set new set", "="),
        (
            &[],
            "MSETEX 2 a 1 b 2 EX 10 NX",
            "new set expire new set expire",
            "MSETEX 2 a 1 b 2 NX PXAT 1010000",
        ),
        (&[], "MSETEX 1 a 1 PXAT 2000000", "new set expire", "="),
        (&["SET a 1"], "MSETEX 1 a 2 KEEPTTL", "overwritten set", "="),
    ]);
}

#[test]
fn a_key_that_is_found_expired_is_logged_first() {
    let mut bench = Bench::new();
    bench.run("MSETEX 1 k 5 PXAT 1");
    assert_eq!(bench.run("INCR k"), ":1\r\n");
    assert_eq!(bench.events(), "expired new incrby");
    assert_eq!(bench.log(), "DEL k; =");
}
