//! The arguments of a command as COMMAND DOCS describes them, and the words that build rows.

/// One argument, or a group of arguments.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// What programs call it.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// Which of the command's key specs finds it, of a key.
    pub key_spec: Option<u8>,
    /// The word before it, or, of a pure token, the word itself; may be empty.
    pub token: Option<&'static str>,
    /// What it does, where the name does not say it.
    pub summary: Option<&'static str>,
    /// Release that brought it, when later than the command's.
    pub since: Option<&'static str>,
    /// Release since which something else should be used.
    pub deprecated_since: Option<&'static str>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// When it is repeated, its token is, too.
    pub multiple_token: bool,
    /// What people call it, where that is not the name.
    pub display: Option<&'static str>,
    /// The parts of a block, or the alternatives of a choice.
    pub args: &'static [Arg],
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgKind {
    /// Any bytes.
    String,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Double,
    /// The name of a key.
    Key,
    /// A glob.
    Pattern,
    /// Seconds or milliseconds since 1970.
    UnixTime,
    /// A fixed word.
    PureToken,
    /// One of several arguments.
    OneOf,
    /// Several arguments together.
    Block,
}

impl ArgKind {
    /// The name that COMMAND DOCS prints.
    pub const fn name(self) -> &'static str {
        match self {
            ArgKind::String => "string",
            ArgKind::Integer => "integer",
            ArgKind::Double => "double",
            ArgKind::Key => "key",
            ArgKind::Pattern => "pattern",
            ArgKind::UnixTime => "unix-time",
            ArgKind::PureToken => "pure-token",
            ArgKind::OneOf => "oneof",
            ArgKind::Block => "block",
        }
    }
}

impl Arg {
    /// What COMMAND DOCS prints as `display_text`: nothing for choices and blocks.
    pub const fn display_text(&self) -> Option<&'static str> {
        match (self.kind, self.display) {
            (ArgKind::OneOf | ArgKind::Block, _) => None,
            (_, Some(text)) => Some(text),
            (_, None) => Some(self.name),
        }
    }

    /// Preceded by a fixed word.
    pub(super) const fn after(mut self, token: &'static str) -> Arg {
        self.token = Some(token);
        self
    }

    /// May be left out.
    pub(super) const fn optional(mut self) -> Arg {
        self.optional = true;
        self
    }

    /// May be repeated.
    pub(super) const fn multiple(mut self) -> Arg {
        self.multiple = true;
        self
    }

    /// May be repeated together with its token.
    pub(super) const fn multiple_token(mut self) -> Arg {
        self.multiple = true;
        self.multiple_token = true;
        self
    }

    /// Exists since a release later than the command's.
    pub(super) const fn since(mut self, release: &'static str) -> Arg {
        self.since = Some(release);
        self
    }

    /// Out of use since a release.
    pub(super) const fn deprecated(mut self, release: &'static str) -> Arg {
        self.deprecated_since = Some(release);
        self
    }

    /// Shown to people under another name.
    pub(super) const fn shown_as(mut self, display: &'static str) -> Arg {
        self.display = Some(display);
        self
    }
}

/// A key found by the key spec with this index.
pub(super) const fn key(name: &'static str, key_spec: u8) -> Arg {
    let mut arg = plain(ArgKind::Key, name);
    arg.key_spec = Some(key_spec);
    arg
}

/// Any bytes.
pub(super) const fn string(name: &'static str) -> Arg {
    plain(ArgKind::String, name)
}

/// A whole number.
pub(super) const fn integer(name: &'static str) -> Arg {
    plain(ArgKind::Integer, name)
}

/// A floating-point number.
pub(super) const fn double(name: &'static str) -> Arg {
    plain(ArgKind::Double, name)
}

/// A glob.
pub(super) const fn pattern(name: &'static str) -> Arg {
    plain(ArgKind::Pattern, name)
}

/// A point in time.
pub(super) const fn unix_time(name: &'static str) -> Arg {
    plain(ArgKind::UnixTime, name)
}

/// A fixed word.
pub(super) const fn token(name: &'static str, word: &'static str) -> Arg {
    plain(ArgKind::PureToken, name).after(word)
}

/// One of several arguments.
pub(super) const fn one_of(name: &'static str, args: &'static [Arg]) -> Arg {
    let mut arg = plain(ArgKind::OneOf, name);
    arg.args = args;
    arg
}

/// Several arguments together.
pub(super) const fn block(name: &'static str, args: &'static [Arg]) -> Arg {
    let mut arg = plain(ArgKind::Block, name);
    arg.args = args;
    arg
}

const fn plain(kind: ArgKind, name: &'static str) -> Arg {
    Arg {
        name,
        kind,
        key_spec: None,
        token: None,
        summary: None,
        since: None,
        deprecated_since: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        display: None,
        args: &[],
    }
}
