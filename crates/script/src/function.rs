//! Libraries of functions: the environment in which their code is loaded, and what it registers.

use crate::stack::{Kind, Outcome, Pinned, Raised, Stack};
use crate::{Script, api, sandbox};

/// What a function says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// It changes nothing.
    pub const NO_WRITES: Self = Self(1);
    /// It runs although there is no memory left.
    pub const ALLOW_OOM: Self = Self(2);
    /// It runs on a replica whose data is old.
    pub const ALLOW_STALE: Self = Self(4);
    /// It does not run in a cluster.
    pub const NO_CLUSTER: Self = Self(8);
    /// Its keys may lie in different slots.
    pub const ALLOW_CROSS_SLOT_KEYS: Self = Self(16);

    /// The flags by their names, in the order in which they are listed.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::NO_WRITES, "no-writes"),
        (Self::ALLOW_OOM, "allow-oom"),
        (Self::ALLOW_STALE, "allow-stale"),
        (Self::NO_CLUSTER, "no-cluster"),
        (Self::ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];

    /// Whether any of the other's is set here.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The flag of a name, in any case of letters.
    pub fn of(name: &[u8]) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names.find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(flag, _)| *flag)
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A function that a library registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    /// Its name.
    pub name: Vec<u8>,
    /// What it says that it does.
    pub description: Option<Vec<u8>>,
    /// Its flags.
    pub flags: Flags,
    /// What runs.
    pub callback: Script,
}

/// A library while its code runs.
#[derive(Default)]
pub(crate) struct Library {
    pub(crate) functions: Vec<Registered>,
}

/// What was read of the arguments of `register_function`; strings stay on the stack.
#[derive(Clone, Copy, Default)]
struct Given {
    name: Option<Pinned>,
    description: Option<Pinned>,
    callback: Option<i32>,
    flags: Flags,
}

const WHILE_LOADED: usize = 0;
const AFTERWARDS: usize = 1;

/// Gives the interpreter globals of its own, whose metatable says what is found: hardly anything
/// while a library is loaded, everything once its functions run.
pub(crate) fn open(stack: &mut Stack) {
    stack.new_table(0, 2);
    stack.new_table(0, 16);
    stack.set_function(c"register_function", register_function);
    api::set_common(stack);
    sandbox::refuse_unknown(stack);
    stack.push_copy(-1);
    stack.set_field(-3, c"redis");
    stack.set_field(-2, c"server");
    sandbox::refuse_unknown(stack);
    sandbox::lock_table(stack);
    let narrow = stack.keep();
    stack.push_globals();
    let whole = stack.keep();
    stack.state().environments = [narrow, whole];
    stack.new_table(0, 0);
    stack.new_table(0, 1);
    stack.push_globals();
    stack.set_field(-2, c"__index");
    stack.set_readonly(-1, true);
    stack.set_metatable(-2);
    stack.set_readonly(-1, true);
    stack.replace_globals();
}

/// Says what the globals show.
fn show(stack: &mut Stack, which: usize) {
    let environment = stack.state().environments[which];
    stack.push_globals();
    if stack.metatable(-1) {
        stack.set_readonly(-1, false);
        stack.push_kept(environment);
        stack.set_field(-2, c"__index");
        stack.set_readonly(-1, true);
        stack.pop(1);
    }
    stack.pop(1);
}

/// Compiles and runs a library's code. The error is a message.
pub(crate) fn load(stack: &mut Stack, code: &[u8]) -> Result<(), Vec<u8>> {
    struct Job<'a> {
        code: &'a [u8],
        error: Vec<u8>,
    }
    fn work(stack: &mut Stack, job: &mut Job<'_>) -> Outcome {
        show(stack, WHILE_LOADED);
        if !stack.load(job.code, c"@user_function") {
            let text = stack.bytes(-1).unwrap_or(Pinned::of(b""));
            job.error.extend_from_slice(b"Error compiling function: ");
            job.error.extend_from_slice(&text);
        } else if !stack.call(0, 0, 0) {
            let text = registration_error(stack);
            job.error.extend_from_slice(b"Error registering functions: ");
            if stack.kind(-1) == Kind::Table || stack.top() == 1 {
                job.error.extend_from_slice(b"ERR ");
            }
            job.error.extend_from_slice(&text);
        }
        Ok(0)
    }
    let mut job = Job { code, error: Vec::new() };
    if !stack.protect(work, &mut job) {
        job.error.extend_from_slice(b"Error registering functions: not enough memory");
        stack.pop(1);
    }
    let restored = stack.protect(
        |stack, ()| {
            show(stack, AFTERWARDS);
            Ok(0)
        },
        &mut (),
    );
    assert!(restored, "setting a field of a table that has it takes no memory");
    if job.error.is_empty() { Ok(()) } else { Err(job.error) }
}

/// The text of the error on top of the stack.
fn registration_error(stack: &mut Stack) -> Pinned {
    if stack.kind(-1) == Kind::Table {
        stack.raw_field(-1, b"err");
    }
    stack.bytes(-1).unwrap_or(Pinned::of(b"unknown error"))
}

/// redis.register_function(name, callback) or redis.register_function{...}
fn register_function(stack: &mut Stack) -> Outcome {
    if stack.state().library.is_none() {
        let text = b"server.register_function can only be called on FUNCTION LOAD command";
        api::push_error(stack, text);
        return Err(Raised);
    }
    let given = match stack.top() {
        1 => read_named(stack),
        2 => read_positional(stack),
        _ => Err("wrong number of arguments to server.register_function"),
    };
    let given = match given {
        Ok(given) => given,
        Err(text) => {
            api::push_error(stack, text.as_bytes());
            return Err(Raised);
        }
    };
    if let (
        Given { name: Some(name), description, callback: Some(callback), flags },
        Some(library),
    ) = (given, &mut stack.state().library)
    {
        library.functions.push(Registered {
            name: name.to_vec(),
            description: description.map(|text| text.to_vec()),
            flags,
            callback: Script(callback),
        });
    }
    Ok(0)
}

fn read_positional(stack: &mut Stack) -> Result<Given, &'static str> {
    if !stack.is_string_or_number(1) {
        return Err("first argument to server.register_function must be a string");
    }
    if stack.kind(2) != Kind::Function {
        return Err("second argument to server.register_function must be a function");
    }
    let callback = Some(stack.keep());
    Ok(Given { name: stack.bytes(1), callback, ..Given::default() })
}

fn read_named(stack: &mut Stack) -> Result<Given, &'static str> {
    if stack.kind(1) != Kind::Table {
        return Err(
            "calling server.register_function with a single argument is only applicable to Lua \
             table (representing named arguments).",
        );
    }
    let mut given = Given::default();
    let read = read_fields(stack, &mut given);
    let missing = match (given.name, given.callback) {
        (None, _) => Err("server.register_function must get a function name argument"),
        (_, None) => Err("server.register_function must get a callback argument"),
        _ => Ok(()),
    };
    let result = read.and(missing);
    if let (Err(_), Some(callback)) = (result, given.callback) {
        stack.let_go(callback);
    }
    result.map(|()| given)
}

/// Reads the fields of the table at 1. Its strings are pinned by the table itself.
fn read_fields(stack: &mut Stack, given: &mut Given) -> Result<(), &'static str> {
    stack.push_nil();
    while stack.next(1) {
        if stack.kind(-2) != Kind::String {
            return Err("named argument key given to server.register_function is not a string");
        }
        let key = stack.bytes(-2).unwrap_or(Pinned::of(b""));
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        let kind = stack.kind(-1);
        if is(b"function_name") {
            if !keep_as_text(stack) {
                return Err(
                    "function_name argument given to server.register_function must be a string",
                );
            }
            given.name = stack.bytes(-1);
        } else if is(b"description") {
            if !keep_as_text(stack) {
                return Err(
                    "description argument given to server.register_function must be a string",
                );
            }
            given.description = stack.bytes(-1);
        } else if is(b"callback") {
            if kind != Kind::Function {
                return Err(
                    "callback argument given to server.register_function must be a function",
                );
            }
            given.callback = Some(stack.keep());
            continue;
        } else if is(b"flags") {
            given.flags = read_flags(stack)?;
        } else {
            return Err("unknown argument given to server.register_function");
        }
        stack.pop(1);
    }
    Ok(())
}

/// Makes the text of a number the value of its field in the table at 1, so that it stays there;
/// whether the field, on top of the stack below its key, is a text now.
fn keep_as_text(stack: &mut Stack) -> bool {
    if stack.kind(-1) == Kind::Number {
        let _ = stack.bytes(-1);
        stack.push_copy(-2);
        stack.push_copy(-2);
        stack.raw_set(1);
    }
    stack.kind(-1) == Kind::String
}

/// The flags in the table on top of the stack.
fn read_flags(stack: &mut Stack) -> Result<Flags, &'static str> {
    if stack.kind(-1) != Kind::Table {
        return Err(
            "flags argument to server.register_function must be a table representing function \
             flags",
        );
    }
    let mut flags = Flags::default();
    for n in 1.. {
        stack.raw_get_at(-1, n);
        if stack.kind(-1) == Kind::Nil {
            stack.pop(1);
            break;
        }
        let flag = match stack.kind(-1) {
            Kind::String => stack.bytes(-1).and_then(|name| Flags::of(&name)),
            _ => None,
        };
        flags = flags.with(flag.ok_or("unknown flag given")?);
        stack.pop(1);
    }
    Ok(flags)
}
