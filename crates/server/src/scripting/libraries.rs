//! Libraries of functions and the interpreter that all workers run them in.
//!
//! Their code is kept with the data set (`persistence`); what is compiled here follows it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use resp::Writer;
use script::{Flags, Host, Interp, Level, Propagation, Registered, Role, Script};

use super::{Told, host};
use crate::server::Server;

/// How long the code of a library may run while it is loaded.
const LOADING_MAX: Duration = Duration::from_millis(500);

/// One library.
pub struct Library {
    /// Its code, with the line that names it.
    pub code: Vec<u8>,
    /// Its functions, by name.
    pub functions: Vec<Registered>,
}

/// All libraries.
#[derive(Default)]
pub struct Libraries {
    interp: Option<Interp>,
    by_name: BTreeMap<Vec<u8>, Library>,
    /// Which state of the code that is kept with the data set these are.
    generation: u64,
}

/// What becomes of libraries that are there when others are restored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// They stay, and none of them may come again.
    Append,
    /// Those that come again are replaced.
    Replace,
    /// They go.
    Flush,
}

/// Whoever runs a library's code while it is loaded: it may write to the log and no more.
struct Loading {
    began: Instant,
}

impl Host for Loading {
    fn call(&mut self, _: &[&[u8]], reply: &mut Writer) {
        reply.error("ERR no command can be called while a library is loaded");
    }

    fn may_run(&mut self, _: &[&[u8]]) -> Option<bool> {
        None
    }

    fn log(&mut self, level: Level, text: &[u8]) {
        host::log(level, text);
    }

    fn set_propagation(&mut self, _: Propagation) {}

    fn interrupt(&mut self) -> Option<&'static str> {
        (self.began.elapsed() > LOADING_MAX).then_some("FUNCTION LOAD timeout")
    }
}

impl Libraries {
    /// Takes over the code that is kept with the data set, if it has changed.
    pub fn follow(&mut self, server: &Server) {
        if server.persistence.libraries.generation() == self.generation {
            return;
        }
        let kept = server.persistence.libraries.all();
        self.generation = kept.generation;
        self.clear();
        for code in &kept.codes {
            if let Err(text) = self.add(server, code, true) {
                log::warn!("A library of functions cannot be loaded: {text}");
            }
        }
        self.tell(server);
    }

    /// Keeps the code of what is here with the data set.
    pub fn keep(&mut self, server: &Server) {
        let codes = self.by_name.values().map(|library| library.code.clone()).collect();
        self.generation = server.persistence.libraries.replace(codes);
        self.tell(server);
    }

    /// The interpreter of all libraries.
    pub fn interp(&mut self, server: &Server) -> &mut Interp {
        self.interp.get_or_insert_with(|| super::interpreter(server, Role::Functions))
    }

    /// Says what there is and what it uses, for those who must not wait for a function's end.
    pub fn tell(&self, server: &Server) {
        let (libraries, functions) = self.counts();
        *server.scripting.told.lock() = Told {
            libraries: libraries as u64,
            functions: functions as u64,
            memory: self.memory() as u64,
            interpreter: self.interp.as_ref().map_or(0, Interp::used) as u64,
        };
    }

    /// A function that can run, with its flags.
    pub fn function(&self, name: &[u8]) -> Option<(Script, Flags)> {
        let mut functions = self.by_name.values().flat_map(|library| &library.functions);
        // Names are compared in any case of letters.
        let function = functions.find(|function| function.name.eq_ignore_ascii_case(name))?;
        Some((function.callback, function.flags))
    }

    /// All libraries in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Library)> {
        self.by_name.iter().map(|(name, library)| (name.as_slice(), library))
    }

    /// How many libraries and functions there are.
    pub fn counts(&self) -> (usize, usize) {
        let functions = self.by_name.values().map(|library| library.functions.len()).sum();
        (self.by_name.len(), functions)
    }

    /// Bytes that their code takes.
    pub fn memory(&self) -> usize {
        let each = |library: &Library| {
            library.code.capacity() + library.functions.len() * size_of::<Registered>()
        };
        self.by_name.values().map(each).sum()
    }

    /// Drops all libraries.
    pub fn clear(&mut self) {
        self.by_name.clear();
        self.interp = None;
    }

    /// Drops one library; whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.by_name.remove(name) else { return false };
        self.let_go(&library.functions);
        true
    }

    fn let_go(&mut self, functions: &[Registered]) {
        if let Some(interp) = &mut self.interp {
            functions.iter().for_each(|function| interp.forget(function.callback));
        }
    }

    /// Loads a library and says its name. The error is a line without its code word.
    pub fn add(&mut self, server: &Server, code: &[u8], replace: bool) -> Result<Vec<u8>, String> {
        let (name, code_at) = read_head(code)?;
        if self.by_name.contains_key(&name) && !replace {
            return Err(format!("Library '{}' already exists", name.escape_ascii()));
        }
        let functions = match self
            .interp(server)
            .load(&code[code_at..], &mut Loading { began: Instant::now() })
        {
            Ok(functions) => functions,
            Err(text) => return Err(String::from_utf8_lossy(&text).into_owned()),
        };
        if let Err(text) = self.check(&name, &functions) {
            self.let_go(&functions);
            return Err(text);
        }
        let library = Library { code: code.to_vec(), functions };
        if let Some(old) = self.by_name.insert(name.clone(), library) {
            self.let_go(&old.functions);
        }
        Ok(name)
    }

    /// Whether what a library has registered can be called by its names.
    fn check(&self, library: &[u8], functions: &[Registered]) -> Result<(), String> {
        if functions.is_empty() {
            return Err("No functions registered".to_owned());
        }
        for (at, function) in functions.iter().enumerate() {
            if !is_name(&function.name) {
                return Err("Function names can only contain letters, numbers, or underscores(_) \
                            and must be at least one character long"
                    .to_owned());
            }
            let same = |other: &Registered| other.name.eq_ignore_ascii_case(&function.name);
            if functions[..at].iter().any(same) {
                return Err("Function already exists in the library".to_owned());
            }
        }
        for function in functions {
            let same = |other: &Registered| other.name.eq_ignore_ascii_case(&function.name);
            let mut others = self.by_name.iter().filter(|(name, _)| *name != library);
            if others.any(|(_, other)| other.functions.iter().any(same)) {
                return Err(format!("Function {} already exists", function.name.escape_ascii()));
            }
        }
        Ok(())
    }

    /// Loads libraries that were dumped: all of them or none. The error is a line without its code
    /// word.
    pub fn restore(
        &mut self,
        server: &Server,
        codes: &[Vec<u8>],
        policy: Policy,
    ) -> Result<(), String> {
        let mut next = Self::default();
        for code in codes {
            next.add(server, code, false)?;
        }
        for (name, library) in self.by_name.iter().filter(|_| policy != Policy::Flush) {
            match (next.by_name.contains_key(name), policy) {
                (true, Policy::Append) => {
                    return Err(format!("Library {} already exists", name.escape_ascii()));
                }
                (true, _) => {}
                (false, _) => {
                    next.add(server, &library.code, false)?;
                }
            }
        }
        *self = next;
        Ok(())
    }
}

/// The name that the code of a library says, if it says one.
pub fn name(code: &[u8]) -> Option<Vec<u8>> {
    read_head(code).ok().map(|(name, _)| name)
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The name of a library from its first line, and where the code begins, which is that line's end.
fn read_head(code: &[u8]) -> Result<(Vec<u8>, usize), String> {
    if !code.starts_with(b"#!") {
        return Err("Missing library metadata".to_owned());
    }
    let end = code.iter().position(|byte| *byte == b'\n').ok_or("Invalid library metadata")?;
    let words = resp::inline::split(&code[..end]).unwrap_or_default();
    let engine = words.first().ok_or("Invalid library metadata")?;
    let engine = engine.get(2..).unwrap_or_default();
    let mut name = None;
    for word in &words[1..] {
        match word.split_at_checked(5) {
            Some((key, value)) if key.eq_ignore_ascii_case(b"name=") => {
                if name.replace(value.to_vec()).is_some() {
                    return Err(
                        "Invalid metadata value, name argument was given multiple times".to_owned()
                    );
                }
            }
            _ => {
                let shown = String::from_utf8_lossy(word);
                return Err(format!("Invalid metadata value given: {shown}"));
            }
        }
    }
    let name = name.ok_or("Library name was not given")?;
    if !is_name(&name) {
        return Err("Library names can only contain letters, numbers, or underscores(_) and must \
                    be at least one character long"
            .to_owned());
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(format!("Engine '{}' not found", String::from_utf8_lossy(engine)));
    }
    Ok((name, end))
}
