//! `redis.*`, also under the name `server.*`: what a script asks of the server.

use std::ffi::CStr;

use resp::{Proto, Writer};
use sha1::{Digest, Sha1};

use crate::stack::{Kind, Outcome, Pinned, Raised, Stack};
use crate::{Host, Level, Propagation, Role, debug, format, reply};

/// Sets the tables `server` and `redis`, which are one.
pub(crate) fn open(stack: &mut Stack) {
    stack.new_table(0, 32);
    stack.set_function(c"call", call);
    stack.set_function(c"pcall", pcall);
    set_common(stack);
    stack.set_function(c"setresp", setresp);
    stack.set_function(c"sha1hex", sha1hex);
    stack.set_function(c"error_reply", error_reply);
    stack.set_function(c"status_reply", status_reply);
    stack.set_function(c"set_repl", set_repl);
    stack.set_function(c"acl_check_cmd", acl_check_cmd);
    let targets: [(&CStr, Propagation); 5] = [
        (c"REPL_NONE", Propagation(0)),
        (c"REPL_AOF", Propagation::AOF),
        (c"REPL_SLAVE", Propagation::REPLICAS),
        (c"REPL_REPLICA", Propagation::REPLICAS),
        (c"REPL_ALL", Propagation::ALL),
    ];
    for (name, to) in targets {
        stack.push_number(f64::from(to.0));
        stack.set_field(-2, name);
    }
    if stack.state().role == Role::Scripts {
        stack.set_function(c"breakpoint", debug::breakpoint);
        stack.set_function(c"debug", debug::debug);
        stack.set_function(c"replicate_commands", replicate_commands);
    }
    stack.push_copy(-1);
    stack.set_global(c"redis");
    stack.set_global(c"server");
}

/// Sets in the table on top of the stack what a library finds while it is loaded too.
pub(crate) fn set_common(stack: &mut Stack) {
    stack.set_function(c"log", log);
    let levels = [c"LOG_DEBUG", c"LOG_VERBOSE", c"LOG_NOTICE", c"LOG_WARNING"];
    for (level, name) in levels.into_iter().enumerate() {
        stack.push_number(level as f64);
        stack.set_field(-2, name);
    }
    let about = &stack.state().about;
    let (server, redis, valkey) =
        (about.server, Pinned::of(about.redis.as_bytes()), Pinned::of(about.valkey.as_bytes()));
    stack.push_bytes(server.as_bytes());
    stack.set_field(-2, c"SERVER_NAME");
    let versions = [
        (c"REDIS_VERSION", c"REDIS_VERSION_NUM", redis),
        (c"VALKEY_VERSION", c"VALKEY_VERSION_NUM", valkey),
    ];
    for (text_name, number_name, version) in versions {
        stack.push_bytes(&version);
        stack.set_field(-2, text_name);
        stack.push_number(f64::from(version_number(&version)));
        stack.set_field(-2, number_name);
    }
}

/// `7.2.4` as `0x00070204`.
fn version_number(text: &[u8]) -> u32 {
    let number = |part: &[u8]| resp::number::parse_i64(part).unwrap_or(0) as u32 & 0xff;
    let parts = text.split(|byte| *byte == b'.').map(number);
    parts.chain([0, 0]).take(3).fold(0, |number, part| number << 8 | part)
}

/// Pushes the table that stands for an error. A text that begins with `-` brings its code word,
/// every other one gets the usual one.
pub(crate) fn push_error(stack: &mut Stack, text: &[u8]) {
    stack.state().text.clear();
    let (has_code, text) = match text {
        [b'-', rest @ ..] => (rest.contains(&b' '), rest),
        _ => (false, text),
    };
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1);
    let out = &mut stack.state().text;
    if !has_code {
        out.extend_from_slice(b"ERR ");
    }
    out.extend_from_slice(&text[..end]);
    stack.new_table(0, 2);
    stack.push_text();
    stack.set_field(-2, c"err");
}

fn fail(stack: &mut Stack, text: &[u8]) -> Outcome {
    push_error(stack, text);
    Err(Raised)
}

/// Notes the arguments of the running function, all of them strings by now, in the state.
fn take_args(stack: &mut Stack) -> Result<(), &'static [u8]> {
    let n = stack.top();
    stack.state().args.clear();
    if n == 0 {
        return Err(b"Please specify at least one argument for this call");
    }
    for index in 1..=n {
        match stack.kind(index) {
            Kind::String => {}
            // Lua's own way to spell a number loses digits.
            Kind::Number => {
                let number = stack.number(index);
                let text = &mut stack.state().text;
                text.clear();
                format::argument(text, number);
                stack.push_text();
                stack.replace(index);
            }
            _ => return Err(b"Command arguments must be strings or integers"),
        }
        if let Some(bytes) = stack.bytes(index) {
            stack.state().args.push(bytes.get());
        }
    }
    Ok(())
}

/// Lends the noted arguments, the host and the buffer for its reply to `work`.
fn with_host<R>(
    stack: &mut Stack,
    work: impl FnOnce(&mut dyn Host, &[&[u8]], &mut Writer) -> R,
) -> Option<R> {
    let state = stack.state();
    state.reply.clear();
    state.reply.set_proto(state.proto);
    let (host, args, reply) = state.host_with_buffers()?;
    Some(work(host, args, reply))
}

/// redis.call(command, ...)
fn call(stack: &mut Stack) -> Outcome {
    let is_error = run(stack);
    if is_error { Err(Raised) } else { Ok(1) }
}

/// redis.pcall(command, ...)
fn pcall(stack: &mut Stack) -> Outcome {
    run(stack);
    Ok(1)
}

/// Runs a command and pushes its reply; whether that is an error.
fn run(stack: &mut Stack) -> bool {
    if let Err(text) = take_args(stack) {
        push_error(stack, text);
        return true;
    }
    let is_debugged = stack.state().debugger.is_some();
    if is_debugged {
        debug::show_command(stack);
    }
    if with_host(stack, |host, args, reply| host.call(args, reply)).is_none() {
        push_error(stack, b"Commands cannot be called while a library is loaded");
        return true;
    }
    stack.set_top(0);
    let bytes = gather(stack);
    if is_debugged {
        debug::show_reply(stack, bytes);
    }
    reply::read(stack, bytes)
}

/// The reply in one piece.
fn gather(stack: &mut Stack) -> Pinned {
    let state = stack.state();
    let mut chunks = state.reply.chunks(0);
    let first = chunks.next().unwrap_or_default();
    if chunks.next().is_none() {
        return Pinned::of(first);
    }
    state.gathered.clear();
    state.reply.chunks(0).for_each(|chunk| state.gathered.extend_from_slice(chunk));
    Pinned::of(&state.gathered)
}

/// redis.sha1hex(text)
fn sha1hex(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 {
        return fail(stack, b"wrong number of arguments");
    }
    let text = stack.bytes(1).unwrap_or(Pinned::of(b""));
    stack.push_bytes(&digest(&text));
    Ok(1)
}

/// SHA-1 in lower-case hexadecimal digits, under which a script is known.
pub fn digest(text: &[u8]) -> [u8; 40] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut digest = [0; 40];
    for (pair, byte) in digest.chunks_exact_mut(2).zip(Sha1::digest(text)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    digest
}

/// redis.error_reply(text)
fn error_reply(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 || stack.kind(1) != Kind::String {
        push_error(stack, b"wrong number or type of arguments");
        return Ok(1);
    }
    if stack.len(1) == 0 || stack.check_bytes(1)[0] != b'-' {
        stack.push_bytes(b"-");
        stack.insert(1);
        stack.concat(2);
    }
    let text = stack.check_bytes(1);
    push_error(stack, text.get());
    Ok(1)
}

/// redis.status_reply(text)
fn status_reply(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 || stack.kind(1) != Kind::String {
        push_error(stack, b"wrong number or type of arguments");
        return Ok(1);
    }
    stack.new_table(0, 1);
    stack.push_copy(1);
    stack.set_field(-2, c"ok");
    Ok(1)
}

/// redis.setresp(version)
fn setresp(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 {
        return fail(stack, b"server.setresp() requires one argument.");
    }
    let proto = match stack.number(1) as i64 {
        2 => Proto::Resp2,
        3 => Proto::Resp3,
        _ => return fail(stack, b"RESP version must be 2 or 3."),
    };
    stack.state().proto = proto;
    Ok(0)
}

/// redis.set_repl(target)
fn set_repl(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 {
        return fail(stack, b"server.set_repl() requires one argument.");
    }
    match stack.number(1) as i64 {
        to @ 0..=3 => {
            if let Some(host) = stack.state().host() {
                host.set_propagation(Propagation(to as u8));
            }
            Ok(0)
        }
        _ => fail(
            stack,
            b"Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        ),
    }
}

/// redis.acl_check_cmd(command, ...)
fn acl_check_cmd(stack: &mut Stack) -> Outcome {
    if let Err(text) = take_args(stack) {
        return fail(stack, text);
    }
    match with_host(stack, |host, args, _| host.may_run(args)).flatten() {
        Some(may) => {
            stack.push_bool(may);
            Ok(1)
        }
        None => fail(stack, b"Invalid command passed to server.acl_check_cmd()"),
    }
}

/// redis.log(level, text, ...)
fn log(stack: &mut Stack) -> Outcome {
    let n = stack.top();
    if n < 2 {
        return fail(stack, b"server.log() requires two arguments or more.");
    }
    let is_number = stack.kind(1) == Kind::Number
        || stack.is_string_or_number(1) && resp::number::parse_f64(&stack.check_bytes(1)).is_some();
    if !is_number {
        return fail(stack, b"First argument must be a number (log level).");
    }
    let level = match stack.number(1) as i64 {
        0 => Level::Debug,
        1 => Level::Verbose,
        2 => Level::Notice,
        3 => Level::Warning,
        _ => return fail(stack, b"Invalid log level."),
    };
    stack.state().text.clear();
    for index in 2..=n {
        if let Some(bytes) = stack.bytes(index) {
            let text = &mut stack.state().text;
            if index > 2 {
                text.push(b' ');
            }
            text.extend_from_slice(&bytes);
        }
    }
    let text = Pinned::of(&stack.state().text);
    if let Some(host) = stack.state().host() {
        host.log(level, &text);
    }
    Ok(0)
}

/// redis.replicate_commands(): the effects of scripts are what is propagated, always.
fn replicate_commands(stack: &mut Stack) -> Outcome {
    stack.push_bool(true);
    Ok(1)
}
