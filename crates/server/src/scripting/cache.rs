//! The scripts that the server knows, and what each worker has compiled of them.
//!
//! Scripts of EVAL are forgotten when too many newer ones were used; those of SCRIPT LOAD are not.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use script::{Flags, Interp, Role, Script};

use super::Nature;
use crate::refuse::lossy;
use crate::server::Server;

/// Scripts of EVAL that are remembered.
const REMEMBERED: usize = 500;

/// Scripts that [`Cache::relocate`] looks at.
const MOVED_AT_ONCE: usize = 32;

/// SHA-1 in lower-case hexadecimal digits.
pub type Digest = [u8; 40];

/// No digest comes before it.
pub const FIRST_DIGEST: Digest = [0; 40];

/// One script.
pub struct Stored {
    /// Its digest.
    pub digest: Digest,
    /// As it came. It is held while it is compiled or sent.
    body: Mutex<Box<[u8]>>,
    /// Its length, which is asked for without waiting for who holds it.
    len: usize,
    /// What it says of itself.
    pub nature: Nature,
    /// Where the code begins, behind the line that names the engine but for its end.
    code_at: usize,
    /// Forgotten: what was compiled of it must not run any more.
    is_gone: AtomicBool,
    /// It was loaded, not just run.
    is_kept: AtomicBool,
    /// The processor's counter when it was last used.
    used: AtomicU64,
}

impl Stored {
    /// Notes that it is used, when the processor's counter stands there.
    pub fn touch(&self, at: u64) {
        self.used.store(at, Ordering::Relaxed);
    }

    /// The script as it came.
    pub fn with_body<R>(&self, work: impl FnOnce(&[u8]) -> R) -> R {
        work(&self.body.lock())
    }
}

/// All scripts.
#[derive(Default)]
pub struct Cache {
    /// In the order of their digests, so that a walk can go on where it stopped.
    scripts: BTreeMap<Digest, Arc<Stored>>,
    /// Scripts that may be forgotten.
    passing: usize,
    /// Scripts that were forgotten for newer ones.
    pub evicted: u64,
}

impl Cache {
    /// A script.
    pub fn get(&self, digest: &Digest) -> Option<Arc<Stored>> {
        self.scripts.get(digest).map(Arc::clone)
    }

    /// Whether a script is known.
    pub fn has(&self, digest: &Digest) -> bool {
        self.scripts.contains_key(digest)
    }

    /// How many scripts are known.
    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    /// Bytes that they take.
    pub fn memory(&self) -> usize {
        let each = size_of::<Stored>() + 2 * size_of::<Digest>();
        self.scripts.values().map(|stored| stored.len + each).sum()
    }

    /// Makes a script known; `kept` for good.
    pub fn add(&mut self, stored: Arc<Stored>, kept: bool) {
        if let Some(known) = self.scripts.get(&stored.digest) {
            if kept && !known.is_kept.swap(true, Ordering::Relaxed) {
                self.passing -= 1;
            }
            return;
        }
        while !kept && self.passing >= REMEMBERED && self.forget_oldest() {}
        stored.is_kept.store(kept, Ordering::Relaxed);
        self.passing += usize::from(!kept);
        self.scripts.insert(stored.digest, stored);
    }

    fn forget_oldest(&mut self) -> bool {
        let passing =
            self.scripts.values().filter(|stored| !stored.is_kept.load(Ordering::Relaxed));
        let oldest = passing.min_by_key(|stored| stored.used.load(Ordering::Relaxed));
        let Some(digest) = oldest.map(|stored| stored.digest) else { return false };
        if let Some(stored) = self.scripts.remove(&digest) {
            stored.is_gone.store(true, Ordering::Release);
        }
        self.passing -= 1;
        self.evicted += 1;
        true
    }

    /// Moves the texts of some scripts, from a digest on, where that pays; the digest to go on
    /// with, none at the end.
    pub fn relocate(
        &self,
        from: Digest,
        mut pays: impl FnMut(*const u8) -> bool,
    ) -> Option<Digest> {
        let mut scripts = self.scripts.range(from..);
        for (_, stored) in scripts.by_ref().take(MOVED_AT_ONCE) {
            // Whoever compiles it would be waited for.
            let Some(mut body) = stored.body.try_lock() else { continue };
            if !body.is_empty() && pays(body.as_ptr()) {
                *body = body.clone();
            }
        }
        scripts.next().map(|(digest, _)| *digest)
    }

    /// Forgets all scripts.
    pub fn clear(&mut self) {
        for stored in self.scripts.values() {
            stored.is_gone.store(true, Ordering::Release);
        }
        self.scripts.clear();
        self.passing = 0;
    }
}

/// A script that can run.
#[derive(Clone, Copy)]
pub struct Found {
    /// As the worker's interpreter knows it.
    pub script: Script,
    /// What it says of itself.
    pub nature: Nature,
}

/// What one worker has compiled.
#[derive(Default)]
pub struct Compiled {
    interp: Option<Interp>,
    /// How often all scripts had been forgotten when the interpreter was made.
    flushes: u64,
    scripts: HashMap<Digest, (Script, Arc<Stored>), foldhash::fast::FixedState>,
}

impl Compiled {
    /// Begins anew once all scripts were forgotten.
    pub fn follow(&mut self, server: &Server) {
        let flushes = server.scripting.flushes.load(Ordering::Relaxed);
        if flushes != self.flushes {
            *self = Self { flushes, ..Self::default() };
        }
    }

    /// The worker's interpreter.
    pub fn interp(&mut self, server: &Server) -> &mut Interp {
        self.interp.get_or_insert_with(|| super::interpreter(server, Role::Scripts))
    }

    /// Says what the interpreter uses.
    pub fn tell(&self, server: &Server, worker: usize) {
        let used = self.interp.as_ref().map_or(0, Interp::used);
        server.scripting.memory[worker].store(used as u64, Ordering::Relaxed);
    }

    /// A script that is compiled and was not forgotten, which is used when the processor's counter
    /// stands there.
    pub fn find(&mut self, digest: &Digest, at: u64) -> Option<Found> {
        let (script, stored) = self.scripts.get(digest)?;
        stored.touch(at);
        if !stored.is_gone.load(Ordering::Acquire) {
            return Some(Found { script: *script, nature: stored.nature });
        }
        self.forget_gone();
        None
    }

    /// Lets go of what was compiled of scripts that are forgotten.
    fn forget_gone(&mut self) {
        let Some(interp) = &mut self.interp else { return };
        self.scripts.retain(|_, (script, stored)| {
            let is_gone = stored.is_gone.load(Ordering::Acquire);
            if is_gone {
                interp.forget(*script);
            }
            !is_gone
        });
        if self.scripts.is_empty() {
            self.interp = None;
        }
    }

    /// Compiles a script. The error is a line without its code word.
    pub fn compile(&mut self, server: &Server, stored: &Arc<Stored>) -> Result<Found, Vec<u8>> {
        if self.scripts.len() >= 2 * REMEMBERED {
            self.forget_gone();
        }
        let interp = self.interp(server);
        let script = stored.with_body(|body| interp.compile(&body[stored.code_at..]));
        let script = script.map_err(|text| {
            [b"Error compiling script (new function): ", text.as_slice()].concat()
        })?;
        self.scripts.insert(stored.digest, (script, Arc::clone(stored)));
        Ok(Found { script, nature: stored.nature })
    }
}

/// The digest that a client wrote, in any case of letters.
pub fn given(text: &[u8]) -> Option<Digest> {
    let mut digest: Digest = text.try_into().ok()?;
    digest.make_ascii_lowercase();
    Some(digest)
}

/// A script as it came; its first line may name the engine and flags. The error is a line without
/// its code word.
pub fn read(digest: &Digest, body: &[u8]) -> Result<Stored, String> {
    let (nature, code_at) = match body.strip_prefix(b"#!") {
        None => (Nature { flags: Flags::default(), is_silent: true }, 0),
        Some(_) => read_head(body)?,
    };
    Ok(Stored {
        digest: *digest,
        body: Mutex::new(body.into()),
        len: body.len(),
        nature,
        code_at,
        is_gone: AtomicBool::new(false),
        is_kept: AtomicBool::new(false),
        used: AtomicU64::new(0),
    })
}

/// The flags in the first line of a script, if there are any.
pub fn flags(body: &[u8]) -> Option<Flags> {
    if !body.starts_with(b"#!") {
        return None;
    }
    read_head(body).ok().map(|(nature, _)| nature.flags)
}

fn read_head(body: &[u8]) -> Result<(Nature, usize), String> {
    let end = body.iter().position(|byte| *byte == b'\n').ok_or("Invalid script shebang")?;
    let words = resp::inline::split(&body[..end]).unwrap_or_default();
    let engine = words.first().ok_or("Invalid engine in script shebang")?;
    let engine = engine.get(2..).unwrap_or_default();
    let mut flags = Flags::default();
    for word in &words[1..] {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return Err(format!("Unknown lua shebang option: {}", lossy(word)));
        };
        // No name at all is no flag.
        for name in names.split(|byte| *byte == b',').filter(|_| !names.is_empty()) {
            let known = Flags::NAMES.iter().find(|(_, known)| known.as_bytes() == name);
            let (flag, _) = known
                .ok_or_else(|| format!("Unexpected flag in script shebang: {}", lossy(name)))?;
            flags = flags.with(*flag);
        }
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(format!("Could not find scripting engine '{}'", lossy(engine)));
    }
    Ok((Nature { flags, is_silent: false }, end))
}
