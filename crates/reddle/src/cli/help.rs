//! What the program says about itself and about commands.

use super::hint::docs::{Doc, Docs};
use super::hint::syntax;
use super::operator::Operator;
use super::out;

const USAGE: &str = "\
Connection:
  -h HOST, -p PORT       where the server is (127.0.0.1, 6379)
  -s PATH                a socket in the file system instead
  -u ADDRESS             redis://user:password@host:port/database; rediss:// is encrypted
  -t SECONDS             how long connecting may take
  -a, --pass PASSWORD    password; REDDLECLI_AUTH, VALKEYCLI_AUTH or REDISCLI_AUTH is safer
  --user NAME            user, with -a
  --askpass              asks for the password
  --no-auth-warning      does not warn of -a
  -n NUMBER              database
  -2, -3                 protocol to begin with
  -c                     follows redirections of a cluster
  --tls                  encrypted, with --sni NAME, --cacert FILE, --cacertdir FOLDER,
                         --cert FILE, --key FILE, --insecure
Commands:
  -r N, -i SECONDS       runs the command N times (-1 for ever), that far apart
  -x, -X TAG             takes the last argument, or the one that is TAG, from the standard input
  --quoted-input         arguments are quoted strings
  --eval FILE            runs a script; keys, a comma and arguments follow
  -e                     fails when the reply is an error
Output:
  --raw, --no-raw        the bytes (when the output is no terminal), or for people
  --csv, --json, --quoted-json
  -d BYTES, -D BYTES     between the elements of a reply, and between replies, when raw
  --show-pushes YN       whether pushes are shown
Looking at a server:
  --stat                 a line a second
  --scan                 all keys, with --pattern GLOB, --quoted-pattern, --type TYPE, --count N
  --bigkeys, --memkeys, --memkeys-samples N, --hotkeys, --hotkeys-count N
  --latency, --latency-history, --latency-dist
  --intrinsic-latency SECONDS    what the system takes away from any program
  --lru-test KEYS        hits of a cache under load
Moving data:
  --pipe                 protocol from the standard input, with --pipe-timeout SECONDS
  --rdb FILE, --functions-rdb FILE       the data set, or its functions alone; - for a pipe
  --replica              the commands that replicas receive

Without a command there is a prompt; \"help\" there explains commands.
";

/// The answer to `--help`.
pub(super) fn usage(program: &str) -> String {
    format!("Usage: {program} [options] [command [argument ...]]\n{USAGE}")
}

/// `help`, `help COMMAND` and `help @GROUP` at the prompt.
pub(super) fn show(operator: &mut Operator, words: &[Vec<u8>]) {
    if words.is_empty() {
        let version = env!("CARGO_PKG_VERSION");
        out::text(format_args!(
            "{} {version}\n\
             help @GROUP    the commands of a group\n\
             help COMMAND   what a command does\n\
             help TAB       the groups and commands there are\n\
             quit           ends the program\n\
             :set hints, :set nohints, :set pager, :set nopager\n\
             N COMMAND      runs a command N times\n",
            operator.options.program
        ));
        return;
    }
    let docs = Docs::load(operator);
    let text = |word: &Vec<u8>| String::from_utf8_lossy(word).to_uppercase();
    let asked = words.iter().map(text).collect::<Vec<String>>().join(" ");
    let fits = |doc: &&Doc| match asked.strip_prefix('@') {
        Some(group) => doc.group.eq_ignore_ascii_case(group),
        None => doc.name == asked || doc.name.starts_with(&format!("{asked} ")),
    };
    let lines: Vec<String> = docs.commands.iter().filter(fits).map(entry).collect();
    out::text(lines.concat() + "\n");
}

fn entry(doc: &Doc) -> String {
    let Doc { name, summary, since, group, arguments } = doc;
    let syntax = syntax(arguments);
    format!(
        "\n  \x1b[1m{name}\x1b[0m \x1b[90m{syntax}\x1b[0m\n\
         \x20 \x1b[33msummary:\x1b[0m {summary}\n\
         \x20 \x1b[33msince:\x1b[0m {since}\n\
         \x20 \x1b[33mgroup:\x1b[0m {group}\n"
    )
}
