//! The basic functions whose own versions in Lua 5.1 are not for code that nobody trusts, and
//! `os.clock`.

use rustix::time::{ClockId, clock_gettime};

use crate::api;
use crate::stack::{CODE_MAX, Kind, Outcome, Raised, Stack};

/// Sets the functions as globals.
pub(crate) fn open(stack: &mut Stack) {
    stack.push_function(unpack);
    stack.set_global(c"unpack");
    stack.push_function(load);
    stack.set_global(c"load");
    stack.push_function(loadstring);
    stack.set_global(c"loadstring");
    stack.push_function(pcall);
    stack.set_global(c"pcall");
    stack.push_function(xpcall);
    stack.set_global(c"xpcall");
    stack.get_global(c"coroutine");
    stack.raw_field(-1, b"resume");
    let original = stack.keep();
    stack.state().resume = original;
    stack.set_function(c"resume", resume);
    stack.pop(1);
    stack.new_table(0, 1);
    stack.set_function(c"clock", clock);
    stack.set_global(c"os");
}

/// unpack(list [, i [, j]])
fn unpack(stack: &mut Stack) -> Outcome {
    stack.check_table(1);
    // Lua counts in 32 bits, and cuts what does not fit.
    let first = stack.optional_int(2, 1) as i32;
    let last = match stack.kind(3) {
        Kind::None | Kind::Nil => stack.len(1) as i32,
        _ => stack.check_int(3) as i32,
    };
    if first > last {
        return Ok(0);
    }
    let Ok(n) = i32::try_from(i64::from(last) - i64::from(first) + 1) else {
        return stack.fail(b"too many results to unpack");
    };
    if !stack.reserve(n) {
        return stack.fail(b"too many results to unpack");
    }
    for index in first..=last {
        stack.raw_get_at(1, index);
    }
    Ok(n)
}

/// loadstring(string [, chunkname])
fn loadstring(stack: &mut Stack) -> Outcome {
    let code = stack.check_bytes(1);
    if matches!(stack.kind(2), Kind::None | Kind::Nil) {
        stack.set_top(1);
        stack.push_copy(1);
    }
    compile(stack, code.get(), 2)
}

/// load(func [, chunkname]), where `func` gives the text piece by piece
fn load(stack: &mut Stack) -> Outcome {
    if stack.kind(1) != Kind::Function {
        return stack.fail_argument(1, c"function expected");
    }
    stack.set_top(2);
    let first = stack.top() + 1;
    stack.push_bytes(b"");
    let mut total = 0;
    loop {
        stack.push_copy(1);
        stack.call_open(0, 1);
        match stack.kind(-1) {
            Kind::Nil => break,
            Kind::String if stack.len(-1) == 0 => break,
            Kind::String if stack.len(-1) + total <= CODE_MAX => total += stack.len(-1),
            _ => return stack.fail(b"reader function must return a string"),
        }
        // Every piece is at least twice as long as the next, so that there are few of them and
        // none is copied often.
        while stack.top() > first && stack.len(-2) < 2 * stack.len(-1) {
            stack.concat(2);
        }
    }
    stack.pop(1);
    stack.concat(stack.top() - first + 1);
    let code = stack.check_bytes(-1);
    compile(stack, code.get(), 2)
}

/// Compiles text: the function, or nil and the reason.
fn compile(stack: &mut Stack, code: &[u8], name: i32) -> Outcome {
    // The name of a chunk is shown in messages only; one that holds a zero byte ends there.
    let loaded = if !matches!(stack.kind(name), Kind::None | Kind::Nil) {
        let name = stack.check_bytes(name).get();
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        stack.push_bytes(&name[..end]);
        stack.load_named(code, -1)
    } else {
        stack.load(code, c"=(load)")
    };
    if loaded {
        return Ok(1);
    }
    stack.push_nil();
    stack.insert(-2);
    Ok(2)
}

/// pcall(f, ...): false and the message of an error. A script that must end cannot catch that.
fn pcall(stack: &mut Stack) -> Outcome {
    stack.check_any(1);
    stack.push_bool(true);
    stack.insert(1);
    let args = stack.top() - 2;
    if stack.call(args, -1, 0) {
        return Ok(stack.top());
    }
    raise_stop(stack)?;
    if stack.kind(-1) == Kind::Table {
        stack.raw_field(-1, b"err");
        if stack.is_string_or_number(-1) {
            stack.remove(-2);
        } else {
            stack.pop(1);
        }
    }
    stack.push_bool(false);
    stack.insert(-2);
    Ok(2)
}

/// xpcall(f, handler)
fn xpcall(stack: &mut Stack) -> Outcome {
    stack.check_any(2);
    stack.set_top(2);
    let handler = stack.keep();
    stack.state().handlers.push(handler);
    stack.push_function(handle);
    stack.insert(1);
    let is_done = stack.call(0, -1, 1);
    stack.state().handlers.pop();
    stack.let_go(handler);
    if is_done {
        stack.push_bool(true);
        stack.replace(1);
        return Ok(stack.top());
    }
    raise_stop(stack)?;
    stack.push_bool(false);
    stack.replace(1);
    Ok(2)
}

/// Calls the handler of the innermost `xpcall`, but not for what ends the script: where the hook
/// has raised an error no hook is called until that has been caught, so a handler could go on for
/// ever.
fn handle(stack: &mut Stack) -> Outcome {
    let handler = stack.state().handlers.last().copied();
    if let (None, Some(handler)) = (stack.state().stopped, handler) {
        stack.push_kept(handler);
        stack.insert(1);
        stack.call_open(1, 1);
    }
    Ok(1)
}

/// coroutine.resume(co, ...): Lua's own, but for what ends the script.
fn resume(stack: &mut Stack) -> Outcome {
    if stack.kind(1) != Kind::Thread {
        return stack.fail_argument(1, c"coroutine expected");
    }
    let original = stack.state().resume;
    stack.push_kept(original);
    stack.insert(1);
    let args = stack.top() - 1;
    stack.call_open(args, -1);
    raise_stop(stack)?;
    Ok(stack.top())
}

/// Raises again what ends the script, whatever has become of it on its way.
fn raise_stop(stack: &mut Stack) -> Result<(), Raised> {
    let Some(reason) = stack.state().stopped else { return Ok(()) };
    api::push_error(stack, reason.as_bytes());
    Err(Raised)
}

/// os.clock(): seconds of processor time.
fn clock(stack: &mut Stack) -> Outcome {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // In whole microseconds, as C's `clock` counts.
    stack.push_number(time.tv_sec as f64 + (time.tv_nsec / 1000) as f64 / 1e6);
    Ok(1)
}
