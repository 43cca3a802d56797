//! CONFIG SET and CONFIG GET.

use spec::config::{DIRECTIVES, Directive, Flags, Id};

use super::value::Save;
use super::{Config, find, glob, has_value, names};

/// Who asks for a change, as far as it decides what may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client is on this machine (loopback or unix socket).
    pub local: bool,
    /// The data set is being loaded.
    pub loading: bool,
}

/// Why a CONFIG SET was refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No directive has this name.
    Unknown { name: Vec<u8> },
    /// The directive cannot be changed while the data set is loading; the reply is the common
    /// LOADING error.
    Loading,
    /// The directive `name` was refused for `reason`.
    Refused { name: Vec<u8>, reason: String },
}

impl SetError {
    /// For the one who applies the change, when that fails: `reason` follows the common text.
    pub fn not_applied(id: Id, reason: impl Into<String>) -> SetError {
        SetError::Refused { name: Directive::of(id).name.into(), reason: reason.into() }
    }

    /// The error line without the leading `-`. `Loading` gives its prefix alone: its text is the
    /// caller's.
    pub fn reply(&self) -> Vec<u8> {
        match self {
            SetError::Unknown { name } => {
                let text = "ERR Unknown option or number of arguments for CONFIG SET - '";
                [text.as_bytes(), name, b"'"].concat()
            }
            SetError::Loading => b"LOADING".to_vec(),
            SetError::Refused { name, reason } => {
                let text = "ERR CONFIG SET failed (possibly related to argument '";
                [text.as_bytes(), name, b"') - ", reason.as_bytes()].concat()
            }
        }
    }
}

impl Config {
    /// Sets several directives or, when one of them is refused, none. Gives those whose value is
    /// now another, and those that must be applied again even with the same value.
    pub fn set(&mut self, changes: &[(&[u8], &[u8])], caller: Caller) -> Result<Vec<Id>, SetError> {
        let rows = self.admit(changes, caller)?;
        let mut next = self.clone();
        let mut changed = Vec::new();
        for (row, (name, value)) in rows.into_iter().zip(changes) {
            let refuse = |reason| SetError::Refused { name: name.to_ascii_lowercase(), reason };
            let taken = next.set_one(row, value);
            let differs = next.value(row.id) != self.value(row.id);
            if row.flags.contains(Flags::FIXED) && (taken.is_err() || differs) {
                return Err(refuse("can't set immutable config".into()));
            }
            taken.map_err(refuse)?;
            if differs || row.flags.contains(Flags::VOLATILE) {
                changed.push(row.id);
            }
        }
        *self = next;
        Ok(changed)
    }

    /// The settings that `patterns` name, each once, sorted by name. A pattern without `*?[` is a
    /// name and comes back as it was written; only so are hidden directives shown.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(Vec<u8>, &'static Directive)> = Vec::new();
        let mut add = |name: &[u8], row: &'static Directive| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_vec(), row));
            }
        };
        for pattern in patterns {
            if !glob::is_pattern(pattern) {
                if let Some(row) = find(pattern).filter(|row| has_value(row)) {
                    add(pattern, row);
                }
                continue;
            }
            let shown = |row: &&Directive| has_value(row) && !row.flags.contains(Flags::HIDDEN);
            for row in DIRECTIVES.iter().filter(shown) {
                let hits = names(row).filter(|name| glob::matches(pattern, name.as_bytes(), true));
                hits.for_each(|name| add(name.as_bytes(), row));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let shown = |row: &Directive| self.value(row.id).show(&row.kind);
        found.into_iter().map(|(name, row)| (name, shown(row))).collect()
    }

    /// Whether a command or a directive that `id` guards (`enable-protected-configs`,
    /// `enable-debug-command`, `enable-module-command`) is open to a client.
    pub fn allows(&self, id: Id, local: bool) -> bool {
        match self.choice(id) {
            "yes" => true,
            "local" => local,
            _ => false,
        }
    }

    /// Finds the rows, and refuses what may not be set at all.
    fn admit(
        &self,
        changes: &[(&[u8], &[u8])],
        caller: Caller,
    ) -> Result<Vec<&'static Directive>, SetError> {
        let mut rows: Vec<&'static Directive> = Vec::with_capacity(changes.len());
        for (name, _) in changes {
            let Some(row) = find(name).filter(|row| has_value(row)) else {
                return Err(SetError::Unknown { name: name.to_vec() });
            };
            let refuse = |reason: &str| {
                Err(SetError::Refused { name: name.to_vec(), reason: reason.to_owned() })
            };
            if row.flags.contains(Flags::IMMUTABLE) {
                return refuse("can't set immutable config");
            }
            let protected = row.flags.contains(Flags::PROTECTED);
            if protected && !self.allows(Id::EnableProtectedConfigs, caller.local) {
                return refuse("can't set protected config");
            }
            if caller.loading && row.flags.contains(Flags::DENY_LOADING) {
                return Err(SetError::Loading);
            }
            if rows.iter().any(|seen| seen.id == row.id) {
                return refuse("duplicate parameter");
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn set_one(&mut self, row: &Directive, text: &[u8]) -> Result<(), String> {
        let words: Vec<Vec<u8>> = match row.flags.contains(Flags::MULTI_ARG) {
            true if text.is_empty() => Vec::new(),
            true => text.split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect(),
            false => vec![text.to_vec()],
        };
        let value = self.value(row.id).read(row, &words, Save::Replace)?;
        self.put(row.id, value);
        Ok(())
    }
}
