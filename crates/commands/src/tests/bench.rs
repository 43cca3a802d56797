//! Runs one command after another, and tells what each did beside its reply.

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
