//! The command line: the options of `redis-cli` and `valkey-cli`, and the words of a command.

#[cfg(test)]
mod tests;

use std::env;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use client::{Address, Endpoint, Tls, inline};

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Asked {
    Help,
    Version,
    Work(Box<Options>),
}

/// How replies are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Output {
    /// For people: types, numbers of elements, quotes.
    Standard,
    /// The bytes.
    Raw,
    Csv,
    Json,
    /// JSON of ASCII alone.
    QuotedJson,
}

/// Something else than running commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Latency,
    LatencyHistory,
    LatencyDistribution,
    Replica,
    Rdb,
    FunctionsRdb,
    Pipe,
    BigKeys,
    MemKeys,
    HotKeys,
    Stat,
    Scan,
    Lru,
}

/// Which protocol to begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protocol {
    /// RESP2, since nothing else was asked for.
    Default,
    Resp2,
    Resp3,
    /// RESP3 where the server has it.
    PreferResp3,
    /// Either was asked for, which makes no sense.
    Both,
}

/// Everything that the command line says.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) program: String,
    pub(super) endpoint: Endpoint,
    pub(super) tls: bool,
    pub(super) tls_files: Tls,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) ask_password: bool,
    pub(super) auth_warning: bool,
    pub(super) database: i64,
    /// How often a command runs; forever if negative.
    pub(super) repeat: i64,
    pub(super) interval: Duration,
    pub(super) protocol: Protocol,
    pub(super) output: Output,
    pub(super) show_pushes: bool,
    pub(super) between_elements: Vec<u8>,
    pub(super) between_replies: Vec<u8>,
    pub(super) quoted_input: bool,
    pub(super) last_from_stdin: bool,
    pub(super) tag_from_stdin: Option<Vec<u8>>,
    pub(super) fail_on_error: bool,
    pub(super) follow_redirects: bool,
    pub(super) verbose: bool,
    pub(super) mode: Option<Mode>,
    pub(super) intrinsic_seconds: Option<u64>,
    pub(super) rdb_file: Vec<u8>,
    pub(super) pipe_timeout: u64,
    pub(super) pattern: Option<Vec<u8>>,
    pub(super) key_type: Option<Vec<u8>>,
    pub(super) count: i64,
    pub(super) memkeys_samples: u64,
    pub(super) hotkeys_count: usize,
    pub(super) lru_keys: u64,
    pub(super) monochrome: bool,
    pub(super) eval: Option<PathBuf>,
    pub(super) hint_line: Option<Vec<u8>>,
    pub(super) hint_file: Option<PathBuf>,
    /// The command, or the keys and arguments of a script.
    pub(super) words: Vec<Vec<u8>>,
}

impl Options {
    /// Reads the words behind the program's name.
    pub(super) fn parse(program: &str, words: Vec<Vec<u8>>) -> Result<Asked, String> {
        let mut options = Options::new(program);
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next_if(|word| word.first() == Some(&b'-')) {
            let name = String::from_utf8_lossy(&word).into_owned();
            match name.as_str() {
                "--help" => return Ok(Asked::Help),
                "-v" | "--version" => return Ok(Asked::Version),
                "-h" if words.peek().is_none() => return Ok(Asked::Help),
                name if options.flag(name) => {}
                name => {
                    let value = words.next();
                    let unknown =
                        || format!("Unrecognized option or bad number of args for: '{name}'");
                    options.valued(name, value.ok_or_else(unknown)?, unknown)?;
                }
            }
        }
        options.words = words.collect();
        options.settle().map(|options| Asked::Work(Box::new(options)))
    }

    fn new(program: &str) -> Options {
        let terminal = is_terminal();
        Options {
            program: program.to_owned(),
            endpoint: Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: 6379 },
            tls: false,
            tls_files: Tls::default(),
            connect_timeout: None,
            user: None,
            password: None,
            ask_password: false,
            auth_warning: true,
            database: 0,
            repeat: 1,
            interval: Duration::ZERO,
            protocol: Protocol::Default,
            output: if terminal { Output::Standard } else { Output::Raw },
            show_pushes: terminal,
            between_elements: b"\n".to_vec(),
            between_replies: b"\n".to_vec(),
            quoted_input: false,
            last_from_stdin: false,
            tag_from_stdin: None,
            fail_on_error: false,
            follow_redirects: false,
            verbose: false,
            mode: None,
            intrinsic_seconds: None,
            rdb_file: Vec::new(),
            pipe_timeout: 30,
            pattern: None,
            key_type: None,
            count: 10,
            memkeys_samples: 0,
            hotkeys_count: 16,
            lru_keys: 0,
            monochrome: false,
            eval: None,
            hint_line: None,
            hint_file: None,
            words: Vec::new(),
        }
    }

    /// An option by itself; false if it is none.
    fn flag(&mut self, name: &str) -> bool {
        match name {
            "-x" => self.last_from_stdin = true,
            "-c" => self.follow_redirects = true,
            "-e" => self.fail_on_error = true,
            // Names are looked up in the order that the system prefers.
            "-4" | "-6" | "--mptcp" => {}
            "-2" if self.protocol == Protocol::Resp3 => self.protocol = Protocol::Both,
            "-3" if self.protocol == Protocol::Resp2 => self.protocol = Protocol::Both,
            "-2" => self.protocol = Protocol::Resp2,
            "-3" => self.protocol = Protocol::Resp3,
            "--askpass" => self.ask_password = true,
            "--no-auth-warning" => self.auth_warning = false,
            "--raw" => self.output = Output::Raw,
            "--no-raw" => self.output = Output::Standard,
            "--csv" => self.output = Output::Csv,
            "--json" => self.set_json(Output::Json),
            "--quoted-json" => self.set_json(Output::QuotedJson),
            "--quoted-input" => self.quoted_input = true,
            "--verbose" => self.verbose = true,
            "--tls" => self.tls = true,
            "--insecure" => self.tls_files.insecure = true,
            "--mono" => self.monochrome = true,
            "--latency" => self.mode = Some(Mode::Latency),
            "--latency-history" => self.mode = Some(Mode::LatencyHistory),
            "--latency-dist" => self.mode = Some(Mode::LatencyDistribution),
            "--replica" | "--slave" => self.mode = Some(Mode::Replica),
            "--stat" => self.mode = Some(Mode::Stat),
            "--scan" => self.mode = Some(Mode::Scan),
            "--pipe" => self.mode = Some(Mode::Pipe),
            "--bigkeys" => self.mode = Some(Mode::BigKeys),
            "--memkeys" => self.mode = Some(Mode::MemKeys),
            "--hotkeys" => self.mode = Some(Mode::HotKeys),
            _ => return false,
        }
        true
    }

    fn set_json(&mut self, output: Output) {
        self.output = output;
        if self.protocol == Protocol::Default {
            self.protocol = Protocol::PreferResp3;
        }
    }

    /// An option with a value.
    fn valued(
        &mut self,
        name: &str,
        value: Vec<u8>,
        unknown: impl Fn() -> String,
    ) -> Result<(), String> {
        let text = || String::from_utf8_lossy(&value).into_owned();
        let path = || PathBuf::from(text());
        match name {
            "-h" => self.set_host(text()),
            "-p" => self.set_port(text().parse().map_err(|_| "Invalid server port.")?),
            "-s" => self.endpoint = Endpoint::Unix(path()),
            "-t" => {
                let limit = seconds(&text()).ok_or("Invalid connection timeout for -t.")?;
                self.connect_timeout = (!limit.is_zero()).then_some(limit);
            }
            "-u" => self.set_address(&text())?,
            "-a" | "--pass" => self.password = Some(text()),
            "--user" => self.user = Some(text()),
            "-n" => self.database = leading(&text()),
            "-r" => self.repeat = leading(&text()),
            "-i" => self.interval = seconds(&text()).unwrap_or_default(),
            "-X" => self.tag_from_stdin = Some(value),
            "-d" => self.between_elements = value,
            "-D" => self.between_replies = value,
            "--show-pushes" => match value.first().map(u8::to_ascii_lowercase) {
                Some(b'n') => self.show_pushes = false,
                Some(b'y') => self.show_pushes = true,
                _ => return Err(format!("Unknown --show-pushes value '{}'", text())),
            },
            "--eval" => self.eval = Some(path()),
            "--test_hint" => self.hint_line = Some(value),
            "--test_hint_file" => self.hint_file = Some(path()),
            "--sni" => self.tls_files.server_name = Some(text()),
            "--cacert" | "--cacertdir" => self.tls_files.authorities = Some(path()),
            "--cert" => self.tls_files.identity.get_or_insert_default().0 = path(),
            "--key" => self.tls_files.identity.get_or_insert_default().1 = path(),
            _ => return self.valued_mode(name, value, unknown),
        }
        Ok(())
    }

    /// The options of the modes.
    fn valued_mode(
        &mut self,
        name: &str,
        value: Vec<u8>,
        unknown: impl Fn() -> String,
    ) -> Result<(), String> {
        let text = String::from_utf8_lossy(&value).into_owned();
        match name {
            "--pattern" => self.pattern = Some(value),
            "--quoted-pattern" => {
                let invalid = "Invalid quoted string specified for --quoted-pattern.";
                self.pattern = Some(unquoted(&value).ok_or(invalid)?);
            }
            "--type" => self.key_type = Some(value),
            "--count" => self.count = leading(&text),
            "--intrinsic-latency" => {
                self.intrinsic_seconds = Some(u64::try_from(leading(&text)).unwrap_or(0));
            }
            "--rdb" => (self.mode, self.rdb_file) = (Some(Mode::Rdb), value),
            "--functions-rdb" => (self.mode, self.rdb_file) = (Some(Mode::FunctionsRdb), value),
            "--pipe-timeout" => self.pipe_timeout = u64::try_from(leading(&text)).unwrap_or(0),
            "--memkeys-samples" => {
                self.mode = Some(Mode::MemKeys);
                self.memkeys_samples = u64::try_from(leading(&text)).unwrap_or(0);
            }
            "--hotkeys-count" => {
                self.mode = Some(Mode::HotKeys);
                self.hotkeys_count = usize::try_from(leading(&text)).unwrap_or(0).max(1);
            }
            "--lru-test" => {
                self.mode = Some(Mode::Lru);
                self.lru_keys = u64::try_from(leading(&text)).unwrap_or(0).max(1);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn set_host(&mut self, host: String) {
        let port = match self.endpoint {
            Endpoint::Tcp { port, .. } => port,
            Endpoint::Unix(_) => 6379,
        };
        self.endpoint = Endpoint::Tcp { host, port };
    }

    fn set_port(&mut self, port: u16) {
        let host = match &self.endpoint {
            Endpoint::Tcp { host, .. } => host.clone(),
            Endpoint::Unix(_) => return,
        };
        self.endpoint = Endpoint::Tcp { host, port };
    }

    fn set_address(&mut self, text: &str) -> Result<(), String> {
        let address = Address::from_str(text).map_err(|error| error.to_string())?;
        self.endpoint = address.endpoint;
        self.tls = address.tls;
        self.user = address.user.or(self.user.take());
        self.password = address.password.or(self.password.take());
        self.database = address.database.map_or(self.database, i64::from);
        Ok(())
    }

    /// What can only be said once everything was read.
    fn settle(mut self) -> Result<Options, String> {
        let unix = matches!(self.endpoint, Endpoint::Unix(_));
        if unix && self.follow_redirects {
            return Err("Options -c and -s are mutually exclusive.".to_owned());
        }
        if self.last_from_stdin && self.tag_from_stdin.is_some() {
            return Err("Options -x and -X are mutually exclusive.".to_owned());
        }
        if self.protocol == Protocol::Both {
            return Err("Options -2 and -3 are mutually exclusive.".to_owned());
        }
        if self.tls && cfg!(not(feature = "tls")) {
            return Err("This program was built without encrypted connections.".to_owned());
        }
        if let Some((certificate, key)) = &self.tls_files.identity
            && (certificate.as_os_str().is_empty() || key.as_os_str().is_empty())
        {
            return Err("Options --cert and --key need each other.".to_owned());
        }
        if self.password.is_some() && self.auth_warning {
            super::out::problem(
                "Warning: Using a password with '-a' or '-u' option on the command line \
                 interface may not be safe.",
            );
        }
        for name in ["REDDLECLI_AUTH", "VALKEYCLI_AUTH", "REDISCLI_AUTH"] {
            self.password = self.password.take().or_else(|| env::var(name).ok());
        }
        Ok(self)
    }

    /// The kind of server that messages speak of, after the name of the program.
    pub(super) fn server_name(&self) -> &'static str {
        match self.program.as_str() {
            "redis-cli" => "Redis",
            "valkey-cli" => "Valkey",
            _ => "Reddle",
        }
    }
}

/// Whether replies are for people: the standard output is a terminal, or is to be taken for one.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal() || env::var_os("FAKETTY").is_some()
}

/// The one argument that a quoted word stands for.
pub(super) fn unquoted(word: &[u8]) -> Option<Vec<u8>> {
    let mut words = inline::split(word).ok()?;
    if words.len() == 1 { words.pop() } else { None }
}

/// The number at the beginning; zero if there is none.
fn leading(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = |c: char| !c.is_ascii_digit();
    let end = text.strip_prefix(['-', '+']).unwrap_or(text).find(digits);
    let sign = usize::from(text.starts_with(['-', '+']));
    text[..end.map_or(text.len(), |end| end + sign)].parse().unwrap_or(0)
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}
