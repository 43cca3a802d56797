//! What a script finds when it begins: the libraries it may use, locked against change.

use std::ffi::CStr;

use crate::stack::{Kind, Outcome, Stack};
use crate::{Role, api, base, bits, function, interp, json, msgpack, packed, random};

/// What Lua's own libraries bring that a script must not have: files, and what is not for it.
const TAKEN_AWAY: [&CStr; 3] = [c"dofile", c"loadfile", c"print"];
/// What lets a script change its environment, or have code run when a value is freed; only for
/// those who ask for it.
const INSECURE: [&CStr; 3] = [c"newproxy", c"getfenv", c"setfenv"];

/// Sets up the globals of a fresh interpreter.
pub(crate) fn open(stack: &mut Stack) -> Outcome {
    stack.open_libraries();
    let is_insecure = stack.state().about.insecure;
    let insecure = INSECURE.iter().filter(|_| !is_insecure);
    for name in TAKEN_AWAY.iter().chain(insecure) {
        stack.push_nil();
        stack.set_global(name);
    }
    stack.get_global(c"math");
    random::open(stack);
    stack.pop(1);
    base::open(stack);
    json::open(stack);
    msgpack::open(stack);
    packed::open(stack);
    bits::open(stack);
    api::open(stack);
    stack.push_function(interp::on_error);
    if stack.state().role == Role::Scripts {
        for name in [c"__server__err__handler", c"__redis__err__handler"] {
            stack.push_copy(-1);
            stack.set_global(name);
        }
    }
    let handler = stack.keep();
    stack.state().handler = handler;
    lock(stack);
    if stack.state().role == Role::Functions {
        function::open(stack);
    }
    Ok(0)
}

/// Locks the globals and every table that can be reached from them, and makes reading a global that
/// is not there an error.
fn lock(stack: &mut Stack) {
    stack.push_globals();
    refuse_unknown(stack);
    lock_table(stack);
    // The metatable that all strings share; no other basic type has one.
    stack.push_bytes(b"");
    if stack.metatable(-1) {
        lock_table(stack);
        stack.pop(1);
    }
    stack.pop(2);
}

/// Makes reading what is not in the table on top of the stack an error.
pub(crate) fn refuse_unknown(stack: &mut Stack) {
    stack.new_table(0, 1);
    stack.set_function(c"__index", unknown_global);
    stack.set_metatable(-2);
}

/// Locks the table on top of the stack with all tables in it and their metatables.
pub(crate) fn lock_table(stack: &mut Stack) {
    if stack.is_readonly(-1) || !stack.reserve(3) {
        return;
    }
    stack.set_readonly(-1, true);
    stack.push_nil();
    while stack.next(-2) {
        if stack.kind(-1) == Kind::Table {
            lock_table(stack);
        }
        stack.pop(1);
    }
    if stack.metatable(-1) {
        lock_table(stack);
        stack.pop(1);
    }
}

fn unknown_global(stack: &mut Stack) -> Outcome {
    if stack.top() != 2 || !stack.is_string_or_number(2) {
        return stack.fail(b"a name is a string or a number");
    }
    stack.push_bytes(b"Script attempted to access nonexistent global variable '");
    stack.push_copy(2);
    stack.push_bytes(b"'");
    stack.concat(3);
    let text = stack.check_bytes(-1);
    stack.fail(&text)
}
