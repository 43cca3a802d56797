//! The server's command line: `[file] [--option value ...] [-]`, and the answers that are not a
//! server.
//!
//! The name the program is started under decides how it introduces itself, and nothing else.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use resp::inline;

use super::system;

/// Under which name the program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Reddle,
    RedisServer,
    ValkeyServer,
}

/// The versions that the program tells.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// This program's own version.
    pub reddle: &'a str,
    /// The Redis and the Valkey version whose behaviour is offered.
    pub redis: &'a str,
    pub valkey: &'a str,
    /// The allocator with its version, such as `jemalloc-5.3.1`.
    pub allocator: &'a str,
    /// The first eight digits of the commit, and a number that identifies the build.
    pub commit: &'a str,
    pub build_id: u64,
}

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Start(Startup),
    Version(Program),
    Help(Program),
    CheckSystem,
    /// Cannot be done: print the text on the standard error and end with status 1.
    Refuse(String),
}

/// How to start: what `Config::load` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup {
    pub program: Program,
    /// The configuration file, absolute.
    pub file: Option<PathBuf>,
    /// Also read directives from the standard input.
    pub read_stdin: bool,
    /// The options as lines of a configuration file.
    pub options: Vec<u8>,
}

impl Program {
    /// By the last part of the path the program was started with.
    pub fn of(argument: &OsString) -> Program {
        let name = file_name(argument);
        match () {
            _ if contains(name, b"redis-server") => Program::RedisServer,
            _ if contains(name, b"valkey-server") => Program::ValkeyServer,
            _ => Program::Reddle,
        }
    }

    /// The name in sentences and its version.
    pub fn title(self, build: &Build<'_>) -> String {
        match self {
            Program::Reddle => format!("Reddle {}", build.reddle),
            Program::RedisServer => format!("Redis {}", build.redis),
            Program::ValkeyServer => format!("Valkey {}", build.valkey),
        }
    }

    /// The line that `--version` prints.
    pub fn version_line(self, build: &Build<'_>) -> String {
        let (name, version) = match self {
            Program::Reddle => ("Reddle", build.reddle),
            Program::RedisServer => ("Redis", build.redis),
            Program::ValkeyServer => ("Valkey", build.valkey),
        };
        format!(
            "{name} server v={version} sha={}:0 malloc={} bits={} build={:x}\n",
            build.commit,
            build.allocator,
            usize::BITS,
            build.build_id
        )
    }

    /// The text that `--help` prints.
    pub fn help(self) -> String {
        let name = match self {
            Program::Reddle => "reddle",
            Program::RedisServer => "redis-server",
            Program::ValkeyServer => "valkey-server",
        };
        let programs = if self == Program::Reddle { PROGRAMS } else { "" };
        HELP.replace("PROGRAMS", programs).replace("NAME", name)
    }
}

const HELP: &str = "\
Usage: NAME [configuration file] [--option value ...] [-]

       -                        read directives from the standard input, too
       --option value ...       any directive of the configuration file; overrides the file
       -v, --version            print the version and leave
       -h, --help               print this text and leave
       --check-system           look for settings of the system that slow a server down
       --test-memory megabytes  explains how to test this machine's memory
PROGRAMS
Every option can also come from the environment: REDDLE_PORT=7000 is --port 7000,
and REDDLE_REQUIREPASS_FILE names a file that holds the password. The file is read
first, then the standard input, then the environment, then the options.

Examples:
       NAME                                        all defaults
       NAME /etc/NAME.conf                         with a configuration file
       NAME --port 7000 --maxmemory 2gb            without one
       NAME --save \"\" --appendonly no              an empty value is a value
       NAME /etc/NAME.conf --loglevel verbose      the option wins
       echo 'maxmemory 2gb' | NAME -               directives from a pipe
";

/// What the binary does beside serving. The classic servers have a binary for each.
const PROGRAMS: &str = "
Other programs, each with a --help of its own:
       NAME cli                                    command line client
       NAME bench                                  load generator
       NAME check rdb|aof                          checks files, repairs logs
       NAME convert                                turns RDB, logs and JSON into one another
";

const NO_SENTINEL: &str = "Sentinel mode is not part of this program. \
Run redis-sentinel or valkey-sentinel beside it: they watch it like any other server.\n";

const NO_MEMORY_TEST: &str = "This program does not test memory. \
Use memtester while the system runs, or memtest86+ from the boot menu for a full test.\n";

const MEMORY_TEST_USAGE: &str = "Please specify the amount of memory to test in megabytes.\n\
Example: --test-memory 4096\n";

/// Understands the arguments; the first is the program's name.
pub fn parse(arguments: &[OsString]) -> Request {
    let empty = OsString::new();
    let (name, rest) = arguments.split_first().unwrap_or((&empty, &[]));
    let program = Program::of(name);
    if contains(file_name(name), b"sentinel") || rest.iter().any(|word| word == "--sentinel") {
        return Request::Refuse(NO_SENTINEL.into());
    }
    match rest.first().map(|word| word.as_bytes()) {
        Some(b"-v" | b"--version") => return Request::Version(program),
        Some(b"-h" | b"--help") => return Request::Help(program),
        Some(b"--check-system") => return Request::CheckSystem,
        Some(b"--test-memory") if rest.len() == 2 => return Request::Refuse(NO_MEMORY_TEST.into()),
        Some(b"--test-memory") => return Request::Refuse(MEMORY_TEST_USAGE.into()),
        _ => {}
    }
    let is_file = rest.first().is_some_and(|word| !word.as_bytes().starts_with(b"-"));
    let file = is_file.then(|| absolute(&rest[0]));
    let (options, read_stdin) = options(&rest[usize::from(is_file)..], !is_file);
    Request::Start(Startup { program, file, read_stdin, options })
}

/// Looks at the system; the text goes to the standard output, and the flag says that all is well.
pub fn check_system() -> (String, bool) {
    system::check(Path::new("/"))
}

/// Turns options into lines. An option's name starts with `--`; but the word after a name is its
/// value, whatever it looks like, so that values may start with `--`, too. `-` as the first or the
/// last argument stands for the standard input.
fn options(arguments: &[OsString], first_is_first: bool) -> (Vec<u8>, bool) {
    let mut lines = Vec::new();
    let mut read_stdin = false;
    let mut needs_value = false;
    for (at, word) in arguments.iter().enumerate() {
        let word = word.as_bytes();
        let is_last = at + 1 == arguments.len();
        if word == b"-" && (is_last || at == 0 && first_is_first) {
            read_stdin = true;
        } else if let Some(option) = word.strip_prefix(b"--").filter(|_| !needs_value) {
            if !lines.is_empty() {
                lines.push(b'\n');
            }
            lines.extend_from_slice(option);
            lines.push(b' ');
            // `--port 6379` may also come as one word.
            needs_value = inline::split_touching(word).is_ok_and(|parts| parts.len() == 1);
            // An array of save points that is empty leaves `--save` without a value.
            let next_is_option = arguments.get(at + 1).is_some_and(is_option);
            if needs_value && option.eq_ignore_ascii_case(b"save") && (is_last || next_is_option) {
                lines.extend_from_slice(b"\"\"");
                needs_value = false;
            }
        } else {
            inline::quote(word, &mut lines);
            lines.push(b' ');
            needs_value = false;
        }
    }
    (lines, read_stdin)
}

fn is_option(word: &OsString) -> bool {
    word.as_bytes().starts_with(b"--")
}

fn absolute(path: &OsString) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path))
}

fn file_name(argument: &OsString) -> &[u8] {
    argument.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
