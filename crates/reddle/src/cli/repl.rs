//! Commands one after the other: at a prompt with history and hints, or line by line from a pipe.

mod editor;
mod lines;
mod sensitive;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use client::{Endpoint, inline};

use super::connection::Broken;
use super::operator::{Operator, Went, is};
use super::options::{Output, is_terminal};
use super::{Done, Failure, out};
use editor::Editor;
use lines::{Lines, Typed};

/// A command that took so long is told to have.
const SLOW: Duration = Duration::from_millis(500);

/// How long messages are waited for before Ctrl-C is looked for again.
const LOOK: Duration = Duration::from_secs(5);

/// Where lines come from.
enum Source {
    Terminal(Box<Editor>),
    Pipe(Lines),
}

pub(super) fn run(mut operator: Operator) -> Done {
    operator.interactive = true;
    signal_hook::flag::register(
        signal_hook::consts::SIGINT,
        std::sync::Arc::clone(&operator.interrupted),
    )
    .map_err(|error| Failure::Text(format!("Error: {error}")))?;
    let mut failed = connect(&mut operator);
    let terminal = std::io::stdin().is_terminal();
    let mut source = if terminal {
        Source::Terminal(Box::new(Editor::open(&mut operator)?))
    } else {
        Source::Pipe(Lines::default())
    };
    loop {
        let line = match &mut source {
            Source::Terminal(editor) => editor.line(&operator),
            Source::Pipe(lines) => lines.next(),
        };
        match line {
            Typed::Line(line) => match obey(&mut operator, &mut source, &line) {
                Next::Go(went) => failed = went == Some(Went::Lost),
                Next::End => return Ok(()),
            },
            Typed::End if operator.is_subscribed() && terminal => {
                failed = connect(&mut operator);
            }
            Typed::End => break,
        }
        if operator.is_subscribed() {
            listen(&mut operator, &mut source)?;
        }
    }
    if failed && !terminal { Err(Failure::Told) } else { Ok(()) }
}

/// Whether to go on, and how a command went if there was one.
enum Next {
    Go(Option<Went>),
    End,
}

/// True if there is no connection; that was told then.
fn connect(operator: &mut Operator) -> bool {
    match operator.connect() {
        Ok(()) => false,
        Err(failure) => {
            if let Failure::Text(text) = failure {
                out::problem(text);
            }
            true
        }
    }
}

fn obey(operator: &mut Operator, source: &mut Source, line: &[u8]) -> Next {
    let Ok(words) = inline::split(line) else {
        out::text("Invalid argument(s)\n");
        return Next::Go(None);
    };
    if words.is_empty() {
        return Next::Go(None);
    }
    let times = (words.len() > 1).then(|| number(&words[0])).flatten();
    if times.is_some_and(|times| times <= 0) {
        let program = &operator.options.program;
        out::text(format_args!("Invalid {program} repeat command option value.\n"));
        return Next::Go(None);
    }
    let words = &words[usize::from(times.is_some())..];
    if let Source::Terminal(editor) = source
        && !sensitive::is_sensitive(words)
    {
        editor.remember(line);
    }
    if is(words, 0, "quit") || is(words, 0, "exit") {
        return Next::End;
    }
    if words[0].first() == Some(&b':') {
        prefer(operator, source, words);
    } else if is(words, 0, "connect") && words.len() == 3 {
        let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        let port = text(&words[2]).parse().unwrap_or(0);
        operator.options.endpoint = Endpoint::Tcp { host: text(&words[1]), port };
        return Next::Go(connect(operator).then_some(Went::Lost));
    } else if is(words, 0, "clear") && words.len() == 1 {
        out::text("\x1b[H\x1b[2J");
    } else {
        return Next::Go(Some(command(operator, words, times.unwrap_or(1))));
    }
    Next::Go(None)
}

/// The number that a word is as a whole.
fn number(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn command(operator: &mut Operator, words: &[Vec<u8>], times: i64) -> Went {
    let begin = Instant::now();
    let went = operator.issue(words, times).unwrap_or_else(|failure| {
        if let Failure::Text(text) = failure {
            out::problem(text);
        }
        Went::Lost
    });
    let took = begin.elapsed();
    if took >= SLOW && operator.options.output == Output::Standard {
        out::text(format_args!("({:.2}s)\n", took.as_secs_f64()));
    }
    went
}

/// `:set` and `:get`.
fn prefer(operator: &Operator, source: &mut Source, words: &[Vec<u8>]) {
    let word =
        |index: usize| words.get(index).map(|word| String::from_utf8_lossy(word).to_lowercase());
    let program = &operator.options.program;
    match (word(0).as_deref(), word(1).as_deref()) {
        (Some(":set"), Some(name @ ("hints" | "nohints"))) => {
            if let Source::Terminal(editor) = source {
                editor.show_hints(name == "hints");
            }
        }
        (Some(":set"), Some(name @ ("pager" | "nopager"))) => {
            operator.page(name == "pager");
        }
        (Some(":get"), Some("pubsub")) => {
            out::text(format_args!("{}\n", u8::from(operator.is_subscribed())));
        }
        (Some(":set"), Some(name)) => {
            out::text(format_args!("unknown {program} preference '{name}'\n"));
        }
        (Some(":get"), Some(name)) => {
            out::text(format_args!("unknown {program} get option '{name}'\n"));
        }
        (Some(name), _) => {
            out::text(format_args!("unknown {program} internal command '{name}'\n"));
        }
        (None, _) => {}
    }
}

/// Prints messages until a key is pressed or a line is there, or Ctrl-C ends the subscriptions.
fn listen(operator: &mut Operator, source: &mut Source) -> Done {
    let told = operator.options.output != Output::Raw && is_terminal();
    let _keys = matches!(source, Source::Terminal(_)).then(editor::each_key).flatten();
    while operator.is_subscribed() {
        while let Some(connection) = &mut operator.connection {
            match connection.received() {
                Ok(Some(value)) => operator.show_message(&value),
                Ok(None) => break,
                Err(broken) => return Err(Failure::Text(format!("Error: {broken}"))),
            }
        }
        if let Source::Pipe(lines) = source
            && lines.has_line()
        {
            return Ok(());
        }
        if told {
            out::text("Reading messages... (press Ctrl-C to quit or any key to type command)\r");
        }
        let waited = match &operator.connection {
            Some(connection) => connection.wait_for_either(LOOK),
            None => return Ok(()),
        };
        if told {
            out::text("\x1b[K");
        }
        match waited {
            Ok(None) => {}
            Ok(Some(true)) => {
                let Some(connection) = &mut operator.connection else { return Ok(()) };
                match connection.receive() {
                    Ok(value) => operator.show_message(&value),
                    Err(broken) => return Err(Failure::Text(format!("Error: {broken}"))),
                }
            }
            Ok(Some(false)) => return Ok(()),
            Err(Broken::Interrupted) => {
                let name = operator.options.server_name();
                out::text(format_args!(
                    "Closing current connection. Ready to reconnect to {name} server... \n"
                ));
                return operator.connect();
            }
            Err(broken) => return Err(Failure::Text(format!("Error: {broken}"))),
        }
    }
    Ok(())
}
