//! The debugger of scripts: it stops at lines and does what its user says there.
//!
//! It sits in the interpreter's state while a script is debugged; the host shows its lines to the
//! user and brings what the user answers. It must not know how. Invariant: texts are built in the
//! debugger's own buffers, for the reason that `stack` gives.

use resp::value::Value;

use crate::stack::{Frame, Kind, Outcome, Pinned, Raised, Stack};
use crate::{Next, api, format};

/// Bytes of a value that are shown, unless the user asks for more, and the least one can ask for.
const SHOWN_MAX: usize = 256;
const SHOWN_MIN: usize = 60;
/// Lines that are shown before and behind the one that was asked for.
const CONTEXT: i64 = 5;
/// Arguments of a command that are shown.
const ARGUMENTS_MAX: usize = 10;
/// Most places to stop at.
const BREAKPOINTS_MAX: usize = 64;
/// Tables nested deeper are not shown.
const DEPTH_MAX: usize = 10;

const UNKNOWN: &str = "<error> Unknown Lua debugger command or wrong number of arguments.";
const HELP: [&str; 15] = [
    "What the debugger understands; one letter is enough:",
    "[s]tep, [n]ext      run this line and stop at the next one",
    "[c]ontinue          run to the next breakpoint",
    "[l]ist [line] [n]   show the code around a line, n lines before and behind it",
    "[w]hole             show all of the code",
    "[p]rint [name]      show a local variable, KEYS or ARGV; without a name all variables",
    "[b]reak             show the breakpoints",
    "[b]reak line ...    stop at these lines; -line: no longer; 0: at none",
    "[t]race             show which functions are running",
    "[e]val code         run code in a function of its own and show what it returns",
    "[r]edis command     run a command and show its reply (also: server)",
    "[m]axlen [bytes]    show this much of long values; 0: all",
    "[a]bort             end the script; what it has written stays",
    "[h]elp              show this text",
    "redis.debug(...) shows values, redis.breakpoint() stops at the next line.",
];

/// What is known about a session.
#[derive(Default)]
pub(crate) struct Debugger {
    source: Vec<Vec<u8>>,
    breakpoints: Vec<i64>,
    /// Stops at the next line, and shows the commands that are called until then.
    steps: bool,
    /// `redis.breakpoint()` was called.
    stops_next: bool,
    line: i64,
    /// What the user has not been shown.
    log: Vec<Vec<u8>>,
    /// The line that is being put together.
    text: Vec<u8>,
    /// What the user said last.
    command: Vec<Vec<u8>>,
    shown_max: usize,
    is_hinted: bool,
}

impl Debugger {
    /// For a script, which stops at its first line.
    pub(crate) fn new(source: &[u8]) -> Self {
        let end = source.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let source = &source[..end.map_or(0, |end| end + 1)];
        Self {
            source: source.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
            steps: true,
            shown_max: SHOWN_MAX,
            ..Self::default()
        }
    }

    /// What the user has not been shown.
    pub(crate) fn take_log(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.log)
    }

    fn say(&mut self, text: impl Into<Vec<u8>>) {
        let mut text = text.into();
        for byte in &mut text {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.log.push(text);
    }

    /// Says what was put together, but not more of it than the user wants to see.
    fn say_text(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        let is_long = self.shown_max > 0 && text.len() > self.shown_max;
        if is_long {
            text.truncate(self.shown_max);
            text.extend_from_slice(b" ...");
        }
        self.say(text);
        if is_long && !std::mem::replace(&mut self.is_hinted, true) {
            self.say("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
        }
    }

    fn say_line(&mut self, line: i64) {
        let is_break = self.breakpoints.contains(&line);
        let mark = match (self.line == line, is_break) {
            (true, true) => "->#",
            (true, false) => "-> ",
            (false, true) => "  #",
            (false, false) => "   ",
        };
        let source = usize::try_from(line - 1).ok().and_then(|at| self.source.get(at));
        let source = source.map_or(&b"<out of range source code line>"[..], Vec::as_slice);
        let shown = [format!("{mark}{line:<3} ").as_bytes(), source].concat();
        self.say(shown);
    }

    fn list(&mut self, around: i64, context: i64) {
        let lines = self.source.len() as i64;
        let first = around.saturating_sub(context).max(1);
        (first..=around.saturating_add(context).min(lines)).for_each(|line| self.say_line(line));
    }

    /// A number among the arguments, 0 when it is none.
    fn number(&self, at: usize) -> i64 {
        self.command.get(at).and_then(|arg| resp::number::parse_i64(arg)).unwrap_or(0)
    }

    fn list_command(&mut self) {
        let around = if self.number(1) > 0 { self.number(1) } else { self.line };
        let context = if self.command.len() > 2 { self.number(2) } else { CONTEXT };
        self.list(around, context.max(0));
    }

    fn break_command(&mut self) {
        if self.command.len() == 1 && self.breakpoints.is_empty() {
            return self.say("No breakpoints set. Use 'b <line>' to add one.");
        }
        if self.command.len() == 1 {
            self.say(format!("{} breakpoints set:", self.breakpoints.len()));
            self.breakpoints.clone().into_iter().for_each(|line| self.say_line(line));
        }
        for at in 1..self.command.len() {
            match resp::number::parse_i64(&self.command[at]) {
                None => {
                    let text = [b"Invalid argument:'", self.command[at].as_slice(), b"'"].concat();
                    self.say(text);
                }
                Some(0) => {
                    self.breakpoints.clear();
                    self.say("All breakpoints removed.");
                }
                Some(line) if line < 0 => self.remove_breakpoint(line.saturating_neg()),
                Some(line) => self.add_breakpoint(line),
            }
        }
    }

    fn add_breakpoint(&mut self, line: i64) {
        if self.breakpoints.len() == BREAKPOINTS_MAX {
            return self.say("Too many breakpoints set.");
        }
        if line > self.source.len() as i64 {
            return self.say("Wrong line number.");
        }
        if !self.breakpoints.contains(&line) {
            self.breakpoints.push(line);
        }
        self.list(line, 1);
    }

    fn remove_breakpoint(&mut self, line: i64) {
        let before = self.breakpoints.len();
        self.breakpoints.retain(|known| *known != line);
        self.say(match self.breakpoints.len() < before {
            true => "Breakpoint removed.",
            false => "No breakpoint in the specified line.",
        });
    }

    fn maxlen_command(&mut self) {
        if self.command.len() > 1 {
            self.is_hinted = true;
            self.shown_max = match usize::try_from(self.number(1)) {
                Ok(max @ 1..) => max.max(SHOWN_MIN),
                _ => 0,
            };
        }
        self.say(match self.shown_max {
            0 => "<value> replies are unlimited.".to_owned(),
            max => format!("<value> replies are truncated at {max} bytes."),
        });
    }
}

fn of(stack: &mut Stack) -> Option<&mut Debugger> {
    stack.state().debugger.as_deref_mut()
}

fn say(stack: &mut Stack, text: &str) {
    if let Some(debugger) = of(stack) {
        debugger.say(text);
    }
}

/// Adds to the text that is put together.
fn put(stack: &mut Stack, bytes: &[u8]) {
    if let Some(debugger) = of(stack) {
        debugger.text.extend_from_slice(bytes);
    }
}

fn say_text(stack: &mut Stack) {
    if let Some(debugger) = of(stack) {
        debugger.say_text();
    }
}

/// A line of the script is about to run.
pub(crate) fn at_line(stack: &mut Stack) -> Result<(), Raised> {
    let Some(Frame { line, is_script: true, .. }) = stack.frame(0) else { return Ok(()) };
    let Some(debugger) = of(stack) else { return Ok(()) };
    debugger.line = line;
    let is_break = debugger.breakpoints.contains(&line);
    let reason = match (debugger.stops_next, is_break, debugger.steps) {
        (true, ..) => "server.breakpoint() called",
        (_, true, _) => "break point",
        (.., true) => "step over",
        _ => return Ok(()),
    };
    (debugger.steps, debugger.stops_next) = (false, false);
    debugger.say(format!("* Stopped at {line}, stop reason = {reason}"));
    debugger.say_line(line);
    while hear(stack)? {
        if obey(stack)? {
            return Ok(());
        }
    }
    // Nobody is there any more, so nothing stops the script.
    if let Some(debugger) = of(stack) {
        debugger.breakpoints.clear();
    }
    Ok(())
}

/// Shows the lines and hears what to do; false when the user is gone.
fn hear(stack: &mut Stack) -> Result<bool, Raised> {
    let state = stack.state();
    let lines = state.debugger.as_deref_mut().map(Debugger::take_log).unwrap_or_default();
    let next = state.host().map_or(Next::Gone, |host| host.debug(&lines));
    drop(lines);
    let reason = match (next, state.debugger.as_deref_mut()) {
        (Next::Command(command), Some(debugger)) => {
            debugger.command = command;
            return Ok(true);
        }
        (Next::Gone, _) | (_, None) => return Ok(false),
        (Next::Refused(reason), _) => reason,
        (Next::Stop(reason), _) => {
            state.stopped = Some(reason);
            reason
        }
    };
    api::push_error(stack, reason.as_bytes());
    Err(Raised)
}

/// Does what the user said; whether the script goes on.
fn obey(stack: &mut Stack) -> Result<bool, Raised> {
    const NAMES: [&str; 14] = [
        "step", "next", "continue", "list", "whole", "print", "break", "trace", "eval", "redis",
        "maxlen", "abort", "help", "server",
    ];
    let Some(debugger) = of(stack) else { return Ok(true) };
    let word = debugger.command.first().map_or(&b""[..], Vec::as_slice);
    let is_it = |name: &&&str| {
        let is_letter = **name != "server" && word.eq_ignore_ascii_case(&name.as_bytes()[..1]);
        is_letter || word.eq_ignore_ascii_case(name.as_bytes())
    };
    let name = NAMES.iter().find(is_it).copied().unwrap_or_default();
    let has_more = debugger.command.len() > 1;
    match name {
        "step" | "next" => debugger.steps = true,
        "continue" => {}
        "list" => debugger.list_command(),
        "whole" => debugger.list(1, i64::MAX),
        "break" => debugger.break_command(),
        "maxlen" => debugger.maxlen_command(),
        "help" => HELP.iter().for_each(|line| debugger.say(*line)),
        "print" => print(stack),
        "trace" => trace(stack),
        "eval" if has_more => eval(stack),
        "redis" | "server" if has_more => command(stack),
        "abort" => {
            api::push_error(stack, b"script aborted for user request");
            return Err(Raised);
        }
        _ => debugger.say(UNKNOWN),
    }
    Ok(matches!(name, "step" | "next" | "continue"))
}

/// An argument of what the user said, which stays while the command is obeyed.
fn argument(stack: &mut Stack, at: usize) -> Option<Pinned> {
    of(stack).and_then(|debugger| debugger.command.get(at)).map(|arg| Pinned::of(arg))
}

/// The value on top of the stack, which is taken, as a line.
fn say_value(stack: &mut Stack, head: &[&[u8]]) {
    head.iter().for_each(|part| put(stack, part));
    show(stack, 0);
    stack.pop(1);
    say_text(stack);
}

fn print(stack: &mut Stack) {
    if !stack.reserve(4) {
        return say(stack, "<error> the stack is full");
    }
    let Some(name) = argument(stack, 1) else { return print_all(stack) };
    let mut level = 0;
    while stack.frame(level).is_some() {
        let mut n = 1;
        while let Some(local) = stack.local(level, n) {
            if *local == *name {
                return say_value(stack, &[b"<value> "]);
            }
            stack.pop(1);
            n += 1;
        }
        level += 1;
    }
    match &*name {
        b"KEYS" => stack.get_global(c"KEYS"),
        b"ARGV" => stack.get_global(c"ARGV"),
        _ => return say(stack, "No such variable."),
    }
    say_value(stack, &[b"<value> "]);
}

fn print_all(stack: &mut Stack) {
    let (mut n, mut shown) = (1, 0);
    while let Some(local) = stack.local(0, n) {
        if local.starts_with(b"(") {
            stack.pop(1);
        } else {
            say_value(stack, &[b"<value> ", &local, b" = "]);
            shown += 1;
        }
        n += 1;
    }
    if shown == 0 {
        say(stack, "No local variables in the current context.");
    }
}

fn trace(stack: &mut Stack) {
    let mut level = 0;
    while let Some(frame) = stack.frame(level) {
        if frame.is_script {
            put(stack, if level == 0 { b"In " } else { b"From " });
            put(stack, &frame.name.unwrap_or(Pinned::of(b"top level")));
            put(stack, b":");
            say_text(stack);
            if let Some(debugger) = of(stack) {
                debugger.say_line(frame.line);
            }
        }
        level += 1;
    }
}

/// Compiles what the user said, as an expression if it is one; what is left on top of the stack is
/// the function, or the reason when it says false.
fn compile(stack: &mut Stack) -> bool {
    let Some(debugger) = of(stack) else { return false };
    let code = debugger.command[1..].join(&b' ');
    debugger.text.clear();
    debugger.text.extend_from_slice(b"return ");
    debugger.text.extend_from_slice(&code);
    drop(code);
    let text = Pinned::of(&debugger.text).get();
    if stack.load(text, c"@ldb_eval") {
        return true;
    }
    stack.pop(1);
    stack.load(&text["return ".len()..], c"@ldb_eval")
}

fn eval(stack: &mut Stack) {
    if !stack.reserve(4) {
        return say(stack, "<error> the stack is full");
    }
    let is_compiled = compile(stack);
    if let Some(debugger) = of(stack) {
        debugger.text.clear();
    }
    if is_compiled && stack.call(0, 1, 0) {
        return say_value(stack, &[b"<retval> "]);
    }
    put(stack, b"<error> ");
    if stack.kind(-1) == Kind::Table {
        stack.raw_field(-1, b"err");
        stack.remove(-2);
    }
    let text = stack.bytes(-1).unwrap_or(Pinned::of(b"(error object is not a string)"));
    put(stack, &text);
    say_text(stack);
    stack.pop(1);
}

/// Runs a command by `redis.call`, which shows it and its reply because the script is in a step.
fn command(stack: &mut Stack) {
    let count = of(stack).map_or(0, |debugger| debugger.command.len());
    let args = count as i32 - 1;
    if !stack.reserve(args + 4) {
        return say(stack, "<error> max lua stack reached");
    }
    stack.get_global(c"redis");
    stack.raw_field(-1, b"call");
    stack.remove(-2);
    for at in 1..count {
        let arg = argument(stack, at).unwrap_or(Pinned::of(b""));
        stack.push_bytes(&arg);
    }
    set_steps(stack, true);
    // Its failure is shown as its reply.
    let _ = stack.call(args, 1, 0);
    set_steps(stack, false);
    stack.pop(1);
}

fn set_steps(stack: &mut Stack, on: bool) {
    if let Some(debugger) = of(stack) {
        debugger.steps = on;
    }
}

/// Puts the value on top of the stack into the text, and leaves it there.
fn show(stack: &mut Stack, depth: usize) {
    match stack.kind(-1) {
        _ if depth == DEPTH_MAX || !stack.reserve(3) => {
            put(stack, b"<max recursion level reached! Nested table?>");
        }
        Kind::String => {
            let text = stack.bytes(-1).unwrap_or(Pinned::of(b""));
            if let Some(debugger) = of(stack) {
                resp::inline::quote(&text, &mut debugger.text);
            }
        }
        Kind::Boolean => {
            let text: &[u8] = if stack.boolean(-1) { b"true" } else { b"false" };
            put(stack, text);
        }
        Kind::Number => {
            let number = stack.number(-1);
            if let Some(debugger) = of(stack) {
                format::argument(&mut debugger.text, number);
            }
        }
        Kind::None | Kind::Nil => put(stack, b"nil"),
        Kind::Table => show_table(stack, depth),
        kind => {
            let name = if kind == Kind::Light { "light-userdata" } else { stack.type_name(-1) };
            let address = stack.address(-1);
            if let Some(debugger) = of(stack) {
                let text = format!("\"{name}@{address:#x}\"");
                debugger.text.extend_from_slice(text.as_bytes());
            }
        }
    }
}

fn show_table(stack: &mut Stack, depth: usize) {
    // It is shown as a list if its keys come as those of one.
    let (mut expected, mut is_list) = (1.0, true);
    stack.push_nil();
    while stack.next(-2) {
        is_list &= stack.kind(-2) == Kind::Number && stack.number(-2) == expected;
        expected += 1.0;
        stack.pop(1);
    }
    put(stack, b"{");
    let mut is_first = true;
    stack.push_nil();
    while stack.next(-2) {
        if !std::mem::take(&mut is_first) {
            put(stack, b"; ");
        }
        if !is_list {
            put(stack, b"[");
            stack.push_copy(-2);
            show(stack, depth + 1);
            stack.pop(1);
            put(stack, b"]=");
        }
        show(stack, depth + 1);
        stack.pop(1);
    }
    put(stack, b"}");
}

/// `redis.breakpoint()`: whether somebody is there to stop for.
pub(crate) fn breakpoint(stack: &mut Stack) -> Outcome {
    let is_there = of(stack).map(|debugger| debugger.stops_next = true).is_some();
    stack.push_bool(is_there);
    Ok(1)
}

/// `redis.debug(...)`: shows the values to whoever debugs.
pub(crate) fn debug(stack: &mut Stack) -> Outcome {
    let Some(debugger) = of(stack) else { return Ok(0) };
    let head = format!("<debug> line {}: ", debugger.line);
    debugger.text.extend_from_slice(head.as_bytes());
    drop(head);
    for index in 1..=stack.top() {
        if index > 1 {
            put(stack, b", ");
        }
        stack.push_copy(index);
        show(stack, 0);
        stack.pop(1);
    }
    say_text(stack);
    Ok(0)
}

/// Shows a command that is about to run, if the script is in a step.
#[cold]
pub(crate) fn show_command(stack: &mut Stack) {
    let state = stack.state();
    let Some(debugger) = state.debugger.as_deref_mut().filter(|debugger| debugger.steps) else {
        return;
    };
    let mut text = b"<command>".to_vec();
    for arg in state.args.iter().take(ARGUMENTS_MAX) {
        text.push(b' ');
        text.extend_from_slice(arg);
    }
    if state.args.len() > ARGUMENTS_MAX {
        let more = format!(" ... ({} more)", state.args.len() - ARGUMENTS_MAX);
        text.extend_from_slice(more.as_bytes());
    }
    debugger.say(text);
}

/// Shows a reply, if the script is in a step.
#[cold]
pub(crate) fn show_reply(stack: &mut Stack, reply: Pinned) {
    let Some(debugger) = of(stack).filter(|debugger| debugger.steps) else { return };
    let Ok(Some((value, _))) = resp::value::decode(&reply) else { return };
    if let Value::Error(text) = &value {
        debugger.say([b"<error> ", text.as_slice()].concat());
    }
    debugger.text.extend_from_slice(b"<reply> ");
    show_decoded(&value, &mut debugger.text);
    debugger.say_text();
}

fn show_decoded(value: &Value, out: &mut Vec<u8>) {
    let quoted = |lead: &[u8], text: &[u8], out: &mut Vec<u8>| {
        resp::inline::quote(&[lead, text].concat(), out);
    };
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::NullArray => out.extend_from_slice(b"NULL"),
        Value::Simple(text) => quoted(b"+", text, out),
        Value::Error(text) | Value::BulkError(text) => quoted(b"-", text, out),
        Value::Int(number) => resp::number::write_i64(out, *number),
        Value::Bulk(text) | Value::BigNumber(text) => quoted(b"", text, out),
        Value::Verbatim { data, .. } => quoted(b"", data, out),
        Value::Bool(true) => out.extend_from_slice(b"#true"),
        Value::Bool(false) => out.extend_from_slice(b"#false"),
        Value::Double(number) => {
            out.extend_from_slice(b"(double) ");
            resp::number::write_double(out, *number);
        }
        Value::DoubleText(text) => out.extend_from_slice(text),
        Value::Array(items) | Value::Push(items) => show_items(b"[", items, b"]", out),
        Value::Set(items) => show_items(b"~(", items, b")", out),
        Value::Map(pairs) => {
            out.push(b'{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                out.extend_from_slice(if at > 0 { b"," } else { b"" });
                show_decoded(key, out);
                out.extend_from_slice(b" => ");
                show_decoded(value, out);
            }
            out.push(b'}');
        }
        Value::Attribute { value, .. } => show_decoded(value, out),
    }
}

fn show_items(open: &[u8], items: &[Value], close: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(open);
    for (at, item) in items.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b"," } else { b"" });
        show_decoded(item, out);
    }
    out.extend_from_slice(close);
}
