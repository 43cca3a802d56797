//! The command line. Knows nothing of what is done with it.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use client::Tls;

use super::uri::Uri;
use crate::address::Address;
use crate::draw::{Hot, Keys, Zipf};
use crate::schedule::Since;
use crate::sizes::Sizes;

const THREADS_MAX: usize = 500;
const CLIENTS_MAX: u64 = 1 << 20;
const DEPTH_MAX: u64 = 1 << 20;
/// Longest distance between keys that twelve digits can tell.
const RANGE_MAX: u64 = 1_000_000_000_000;

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Wish {
    Run(Box<Options>),
    Help,
    Version,
}

/// How numbers are chosen out of the range of `-r`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Choice {
    Uniform,
    Sequential,
    Zipf(f64),
    Hot(f64, f64),
}

/// What is run, and how it is shown.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) address: Address,
    pub(super) tls: bool,
    pub(super) tls_files: Tls,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) database: u32,
    pub(super) resp3: bool,
    pub(super) tracking: bool,
    pub(super) clients: usize,
    pub(super) requests: Option<u64>,
    pub(super) seconds: Option<f64>,
    pub(super) warmup: f64,
    pub(super) keep_alive: bool,
    pub(super) sizes: Sizes,
    /// How many keys; without it, placeholders of numbers stay as they are.
    pub(super) range: Option<u64>,
    pub(super) choice: Choice,
    pub(super) depth: usize,
    pub(super) threads: usize,
    pub(super) seed: Option<u64>,
    /// Requests a second, and from when their latency counts.
    pub(super) rate: Option<(f64, Since)>,
    pub(super) quiet: bool,
    pub(super) csv: bool,
    pub(super) precision: u8,
    pub(super) looped: bool,
    pub(super) idle: bool,
    pub(super) stdin: bool,
    /// Names of tests in small letters; `None` means all.
    pub(super) tests: Option<Vec<String>>,
    pub(super) functions: u64,
    pub(super) function_keys: u64,
    /// Weights and commands.
    pub(super) mix: Vec<(u32, Vec<Vec<u8>>)>,
    pub(super) peer: Option<Address>,
    pub(super) rounds: u64,
    pub(super) json: Option<PathBuf>,
    pub(super) markdown: Option<PathBuf>,
    pub(super) svg: Option<PathBuf>,
    pub(super) command: Vec<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            address: Address::Host("127.0.0.1".to_owned(), 6379),
            tls: false,
            tls_files: Tls::default(),
            user: None,
            password: None,
            database: 0,
            resp3: false,
            tracking: false,
            clients: 50,
            requests: None,
            seconds: None,
            warmup: 0.0,
            keep_alive: true,
            sizes: Sizes::Fixed(3),
            range: None,
            choice: Choice::Uniform,
            depth: 1,
            threads: 0,
            seed: None,
            rate: None,
            quiet: false,
            csv: false,
            precision: 3,
            looped: false,
            idle: false,
            stdin: false,
            tests: None,
            functions: 10,
            function_keys: 1,
            mix: Vec::new(),
            peer: None,
            rounds: 3,
            json: None,
            markdown: None,
            svg: None,
            command: Vec::new(),
        }
    }
}

impl Wish {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub(super) fn parse(words: &[OsString]) -> Result<Wish, String> {
        let mut options = Options::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word.to_string_lossy();
            match name.as_ref() {
                "--help" => return Ok(Wish::Help),
                "-v" | "--version" => return Ok(Wish::Version),
                "--" => {
                    options.command = words.by_ref().map(bytes).collect();
                    break;
                }
                name if !name.starts_with('-') => {
                    options.command =
                        std::iter::once(word).chain(words.by_ref()).map(bytes).collect();
                    break;
                }
                name if options.switch(name)? => {}
                name => {
                    let value = words.next().map(|word| word.clone().into_vec());
                    options.set(name, value)?;
                }
            }
        }
        options.check()?;
        Ok(Wish::Run(Box::new(options)))
    }
}

impl Options {
    /// Options without a value; false if it is none of them.
    fn switch(&mut self, name: &str) -> Result<bool, String> {
        match name {
            "-q" => self.quiet = true,
            "-l" => self.looped = true,
            "-I" => self.idle = true,
            "-x" => self.stdin = true,
            "-3" => self.resp3 = true,
            "--csv" => self.csv = true,
            "--sequential" => self.choice = Choice::Sequential,
            "--enable-tracking" => self.tracking = true,
            // Every error ends the run, so that there is nothing to choose.
            "-e" => {}
            "--tls" => self.tls = true,
            "--insecure" => self.tls_files.insecure = true,
            "--cluster" => return Err("clusters are not supported yet".to_owned()),
            "--mptcp" | "--rdma" | "--fuzz" => return Err(format!("{name} is not supported")),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set(&mut self, name: &str, value: Option<Vec<u8>>) -> Result<(), String> {
        let known = self.set_server(name, value.as_deref())?
            || self.set_encryption(name, value.as_deref())?
            || self.set_load(name, value.as_deref())?
            || self.set_output(name, value.as_deref())?;
        if known {
            return Ok(());
        }
        match name {
            "--tls-ciphers" | "--tls-ciphersuites" => {
                Err(format!("{name} is not supported: both sides agree on the best they have"))
            }
            "--rfr" => Err("clusters are not supported yet".to_owned()),
            _ => Err(format!(
                "Invalid option \"{name}\" or option argument missing (--help lists them)"
            )),
        }
    }

    fn set_server(&mut self, name: &str, value: Option<&[u8]>) -> Result<bool, String> {
        match name {
            "-h" => {
                let port = self.port();
                self.address = Address::Host(text(name, value)?.to_owned(), port);
            }
            "-p" => {
                let port = number(name, value, 0..=65535)? as u16;
                if let Address::Host(_, known) = &mut self.address {
                    *known = port;
                }
            }
            "-s" => self.address = Address::Unix(path(name, value)?),
            "-a" => self.password = Some(present(name, value)?.to_vec()),
            "--user" => self.user = Some(present(name, value)?.to_vec()),
            "--dbnum" => self.database = number(name, value, 0..=u64::from(u32::MAX >> 1))? as u32,
            "-u" => {
                let uri = Uri::parse(text(name, value)?)?;
                self.tls |= uri.tls;
                let port = uri.port.unwrap_or_else(|| self.port());
                self.address =
                    Address::Host(uri.host.unwrap_or_else(|| "127.0.0.1".to_owned()), port);
                self.user = uri.user.or(self.user.take());
                self.password = uri.password.or(self.password.take());
                self.database = uri.database.unwrap_or(self.database);
            }
            "--peer" => self.peer = Some(address(text(name, value)?)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_encryption(&mut self, name: &str, value: Option<&[u8]>) -> Result<bool, String> {
        match name {
            "--sni" => self.tls_files.server_name = Some(text(name, value)?.to_owned()),
            "--cacert" | "--cacertdir" => self.tls_files.authorities = Some(path(name, value)?),
            "--cert" => self.tls_files.identity.get_or_insert_default().0 = path(name, value)?,
            "--key" => self.tls_files.identity.get_or_insert_default().1 = path(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_load(&mut self, name: &str, value: Option<&[u8]>) -> Result<bool, String> {
        match name {
            "-c" => self.clients = number(name, value, 1..=CLIENTS_MAX)? as usize,
            "-n" => self.requests = Some(number(name, value, 1..=u64::MAX >> 1)?),
            "--duration" | "--seconds" => self.seconds = Some(positive(name, value)?),
            "--warmup" => self.warmup = number(name, value, 0..=1 << 20)? as f64,
            "-d" | "--value-size" => {
                let sizes =
                    Sizes::parse(text(name, value)?).map_err(|why| format!("{name}: {why}"))?;
                self.sizes = if sizes == Sizes::Fixed(0) { Sizes::Fixed(1) } else { sizes };
            }
            "-k" => self.keep_alive = number(name, value, 0..=1)? == 1,
            "-r" => self.range = Some(number(name, value, 0..=RANGE_MAX)?),
            "--keys" => self.choice = choice(text(name, value)?)?,
            "-P" => self.depth = number(name, value, 1..=DEPTH_MAX)? as usize,
            "--threads" => {
                self.threads = number(name, value, 0..=1 << 20)?.min(THREADS_MAX as u64) as usize;
            }
            "--seed" => self.seed = Some(number(name, value, 0..=u64::MAX)?),
            "--rate" => self.rate = Some((positive(name, value)?, Since::Due)),
            "--rps" => {
                let limit = number(name, value, 0..=u64::MAX)?;
                self.rate = (limit > 0).then_some((limit as f64, Since::Sent));
            }
            "-t" => {
                let names = text(name, value)?.to_ascii_lowercase();
                self.tests = Some(names.split(',').map(|name| name.trim().to_owned()).collect());
            }
            "--mix" => self.mix.push(weighted(text(name, value)?)?),
            "--num-functions" => self.functions = number(name, value, 1..=10_000)?,
            "--num-keys-in-fcall" => self.function_keys = number(name, value, 0..=10_000)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_output(&mut self, name: &str, value: Option<&[u8]>) -> Result<bool, String> {
        match name {
            "--precision" => self.precision = number(name, value, 0..=1 << 20)?.min(4) as u8,
            "--rounds" => self.rounds = number(name, value, 1..=10_000)?,
            "--json" => self.json = Some(path(name, value)?),
            "--markdown" => self.markdown = Some(path(name, value)?),
            "--svg" => self.svg = Some(path(name, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |text: &str| Err(text.to_owned());
        if self.requests.is_some() && self.seconds.is_some() {
            return wrong("Options -n and --duration are mutually exclusive");
        }
        if self.choice != Choice::Uniform && self.range.is_none_or(|range| range == 0) {
            return wrong("--keys and --sequential need the number of keys: -r");
        }
        if !self.mix.is_empty() && (!self.command.is_empty() || self.tests.is_some()) {
            return wrong("--mix goes with neither -t nor a command");
        }
        if self.stdin && self.command.is_empty() {
            return wrong("-x needs a command");
        }
        if self.user.is_some() && self.password.is_none() {
            return wrong("--user needs a password: -a");
        }
        if self.tls && matches!(self.address, Address::Unix(_)) {
            return wrong("--tls goes with -h and -p, not with -s");
        }
        if let Some((certificate, key)) = &self.tls_files.identity
            && (certificate.as_os_str().is_empty() || key.as_os_str().is_empty())
        {
            return wrong("--cert and --key need each other");
        }
        let to_stdout = [&self.json, &self.markdown, &self.svg].into_iter().flatten();
        if to_stdout.filter(|path| path.as_os_str() == "-").count() > 1 {
            return wrong("only one result can go to standard output");
        }
        Ok(())
    }

    fn port(&self) -> u16 {
        match &self.address {
            Address::Host(_, port) => *port,
            Address::Tcp(_) | Address::Encrypted(..) | Address::Unix(_) => 6379,
        }
    }

    /// What a connection sends first.
    pub(super) fn opening(&self) -> Vec<Vec<Vec<u8>>> {
        let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
        let words = |text: &str| text.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        if let Some(password) = &self.password {
            let user = self.user.clone();
            let auth = std::iter::once(b"AUTH".to_vec()).chain(user);
            commands.push(auth.chain([password.clone()]).collect());
        }
        if self.resp3 {
            commands.push(words("HELLO 3"));
        }
        if self.tracking {
            commands.push(words("CLIENT TRACKING ON"));
        }
        if self.database > 0 {
            commands.push(words(&format!("SELECT {}", self.database)));
        }
        commands
    }

    /// Where the numbers of a test come from; each test begins anew.
    pub(super) fn keys(&self) -> Keys {
        let count = self.range.unwrap_or(1).max(1);
        match self.choice {
            Choice::Uniform => Keys::Random(count),
            Choice::Sequential => Keys::cycle(count),
            Choice::Zipf(exponent) => Keys::Zipf(Zipf::new(count, exponent)),
            Choice::Hot(part, share) => Keys::Hot(Hot::new(count, part, share)),
        }
    }

    /// Whether a result goes to standard output, where then nothing else may.
    pub(super) fn is_piped(&self) -> bool {
        let paths = [&self.json, &self.markdown, &self.svg];
        paths.into_iter().flatten().any(|path| path.as_os_str() == "-")
    }
}

fn bytes(word: &OsString) -> Vec<u8> {
    word.as_bytes().to_vec()
}

fn present<'a>(name: &str, value: Option<&'a [u8]>) -> Result<&'a [u8], String> {
    value.ok_or_else(|| format!("Invalid option \"{name}\" or option argument missing"))
}

fn text<'a>(name: &str, value: Option<&'a [u8]>) -> Result<&'a str, String> {
    std::str::from_utf8(present(name, value)?).map_err(|_| format!("{name}: not UTF-8"))
}

fn path(name: &str, value: Option<&[u8]>) -> Result<PathBuf, String> {
    present(name, value).map(|value| OsString::from_vec(value.to_vec()).into())
}

fn number(
    name: &str,
    value: Option<&[u8]>,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, String> {
    let text = text(name, value)?;
    let wrong = || {
        let end = if *range.end() > u64::from(u32::MAX) {
            format!("of at least {}", range.start())
        } else {
            format!("from {} to {}", range.start(), range.end())
        };
        format!("{name} {text}: not a whole number {end}")
    };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
}

fn positive(name: &str, value: Option<&[u8]>) -> Result<f64, String> {
    let text = text(name, value)?;
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && *number <= 1e12);
    number.ok_or_else(|| format!("{name} {text}: not a number over 0"))
}

fn choice(text: &str) -> Result<Choice, String> {
    let wrong =
        || format!("--keys {text}: not uniform, sequential, zipf[:EXPONENT] or hot:PART:SHARE");
    let part = |text: &str| {
        text.parse().ok().filter(|part: &f64| (0.0..=1.0).contains(part)).ok_or_else(wrong)
    };
    match text.split(':').collect::<Vec<_>>()[..] {
        ["uniform"] => Ok(Choice::Uniform),
        ["sequential"] => Ok(Choice::Sequential),
        ["zipf"] => Ok(Choice::Zipf(0.99)),
        ["zipf", exponent] => {
            let exponent = exponent.parse().map_err(|_| wrong())?;
            if exponent > 0.0 && exponent <= 100.0 {
                Ok(Choice::Zipf(exponent))
            } else {
                Err(wrong())
            }
        }
        ["hot", size, share] => Ok(Choice::Hot(part(size)?, part(share)?)),
        _ => Err(wrong()),
    }
}

/// `3:GET key:__rand_int__`, or without a weight.
fn weighted(text: &str) -> Result<(u32, Vec<Vec<u8>>), String> {
    let wrong = |why: &str| format!("--mix {text}: {why}");
    let (weight, command) = match text.split_once(':') {
        Some((weight, command)) if weight.bytes().all(|byte| byte.is_ascii_digit()) => {
            (weight.parse().map_err(|_| wrong("not a weight"))?, command)
        }
        _ => (1, text),
    };
    let words = resp::inline::split(command.as_bytes()).map_err(|_| wrong("unbalanced quotes"))?;
    if weight == 0 || words.is_empty() {
        return Err(wrong("not WEIGHT:COMMAND"));
    }
    Ok((weight, words))
}

/// `host:port`, `port`, or the path of a socket.
fn address(text: &str) -> Result<Address, String> {
    if text.contains('/') {
        return Ok(Address::Unix(text.into()));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("127.0.0.1", text));
    let port = port.parse().map_err(|_| format!("--peer {text}: not HOST:PORT"))?;
    Ok(Address::Host(host.trim_matches(['[', ']']).to_owned(), port))
}

#[cfg(test)]
mod tests;
