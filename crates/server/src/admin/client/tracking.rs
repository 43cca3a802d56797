//! CLIENT TRACKING and its kin: what a connection wants to be told of the keys that it caches.

use commands::{Args, Error};

use crate::call::Call;
use crate::refuse::lossy;
use crate::rows::SessionHandler;
use crate::session::State;
use crate::tracking::{self, Mode, Wish};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("client|caching", caching),
    ("client|getredir", getredir),
    ("client|tracking", tracking),
    ("client|trackinginfo", trackinginfo),
];

/// What the options ask for, whether tracking is switched on or off.
#[derive(Default)]
struct Options<'a> {
    mode: Mode,
    redirect: Option<std::sync::Arc<crate::registry::Client>>,
    prefixes: Vec<&'a [u8]>,
}

/// CLIENT TRACKING \<ON | OFF\> \[REDIRECT client-id\] \[PREFIX prefix ...\] \[BCAST\] \[OPTIN\]
/// \[OPTOUT\] \[NOLOOP\] - O(1), with prefixes O(N) where N is the number of prefixes.
fn tracking(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let options = read(call, args)?;
    let on = match args[2] {
        word if word.eq_ignore_ascii_case(b"on") => true,
        word if word.eq_ignore_ascii_case(b"off") => false,
        _ => return Err(Error::Syntax),
    };
    if !on {
        tracking::end(call.server, call.session);
        call.out.ok();
        return Ok(());
    }
    check(mode_of(call), options.mode, !options.prefixes.is_empty())?;
    let mine = call.session.client.tracker.get().map_or_else(Vec::new, |mine| mine.prefixes());
    if let Some(text) = overlap(&mine, &options.prefixes) {
        return call.fail(text);
    }
    let prefixes = options.prefixes.iter().map(|prefix| (*prefix).into()).collect();
    let mode = options.mode.with(Mode::ON);
    tracking::begin(call.server, call.session, Wish { mode, redirect: options.redirect, prefixes });
    call.out.ok();
    Ok(())
}

fn mode_of(call: &Call<'_, '_>) -> Mode {
    call.session.client.tracker.get().map_or(Mode::default(), |tracker| tracker.mode())
}

fn read<'a>(call: &Call<'_, '_>, args: &Args<'a>) -> Result<Options<'a>, Error> {
    let mut options = Options::default();
    let mut rest = args.from(3);
    while let [word, tail @ ..] = rest {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        rest = match tail {
            [id, tail @ ..] if is("redirect") => {
                if options.redirect.is_some() {
                    let text = "ERR A client can only redirect to a single other client";
                    return Err(Error::Text(text));
                }
                let id = resp::number::parse_i64(id).ok_or(Error::NotInteger)?;
                let client = u64::try_from(id).ok().and_then(|id| call.server.clients.get(id));
                let text = "ERR The client ID you want redirect to does not exist";
                options.redirect = Some(client.ok_or(Error::Text(text))?);
                tail
            }
            [prefix, tail @ ..] if is("prefix") => {
                options.prefixes.push(prefix);
                tail
            }
            _ => {
                let flag = match () {
                    () if is("bcast") => Mode::BCAST,
                    () if is("optin") => Mode::OPTIN,
                    () if is("optout") => Mode::OPTOUT,
                    () if is("noloop") => Mode::NOLOOP,
                    () => return Err(Error::Syntax),
                };
                options.mode = options.mode.with(flag);
                tail
            }
        };
    }
    Ok(options)
}

/// Whether a mode can be, and can follow the present one.
fn check(old: Mode, new: Mode, has_prefixes: bool) -> Result<(), Error> {
    let both = |one: Mode, other: Mode| one.any(Mode::OPTIN) && other.any(Mode::OPTOUT);
    let text = if has_prefixes && !new.any(Mode::BCAST) {
        "ERR PREFIX option requires BCAST mode to be enabled"
    } else if old.any(Mode::ON) && old.any(Mode::BCAST) != new.any(Mode::BCAST) {
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and \
         then re-enabling it with a different mode."
    } else if new.any(Mode::BCAST) && new.any(Mode::OPTIN.with(Mode::OPTOUT)) {
        "ERR OPTIN and OPTOUT are not compatible with BCAST"
    } else if both(new, new) {
        "ERR You can't specify both OPTIN mode and OPTOUT mode"
    } else if both(new, old) || both(old, new) {
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and \
         then re-enabling it with a different mode."
    } else {
        return Ok(());
    };
    Err(Error::Text(text))
}

/// The error for prefixes of which one begins with another: a client would be told twice.
fn overlap(old: &[Box<[u8]>], new: &[&[u8]]) -> Option<String> {
    let overlaps = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
    let tail = "Prefixes for a single client must not overlap.";
    for (at, prefix) in new.iter().enumerate() {
        let (whose, other) = match old.iter().find(|other| overlaps(prefix, other)) {
            Some(other) => ("an existing", &**other),
            None => match new[at + 1..].iter().find(|other| overlaps(prefix, other)) {
                Some(other) => ("another provided", *other),
                None => continue,
            },
        };
        let (prefix, other) = (lossy(prefix), lossy(other));
        return Some(format!(
            "ERR Prefix '{prefix}' overlaps with {whose} prefix '{other}'. {tail}"
        ));
    }
    None
}

/// CLIENT CACHING \<YES | NO\> - O(1).
fn caching(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mode = mode_of(call);
    if !mode.any(Mode::ON) {
        return Err(Error::Text(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN \
             or OPTOUT mode enabled",
        ));
    }
    let (wanted, text) = match args[2] {
        word if word.eq_ignore_ascii_case(b"yes") => (
            Mode::OPTIN,
            "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
        ),
        word if word.eq_ignore_ascii_case(b"no") => (
            Mode::OPTOUT,
            "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
        ),
        _ => return Err(Error::Syntax),
    };
    if !mode.any(wanted) {
        return Err(Error::Text(text));
    }
    call.session.put(State::CACHING, true);
    call.out.ok();
    Ok(())
}

/// CLIENT GETREDIR - O(1).
fn getredir(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.session.client.tracker.get().map_or(-1, |tracker| tracker.redirection()));
    Ok(())
}

/// CLIENT TRACKINGINFO - O(N) where N is the number of prefixes.
fn trackinginfo(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mode = mode_of(call);
    let is_given = call.session.state.any(State::CACHING);
    let flags = [
        (if mode.any(Mode::ON) { "on" } else { "off" }, true),
        ("bcast", mode.any(Mode::BCAST)),
        ("optin", mode.any(Mode::OPTIN)),
        ("caching-yes", mode.any(Mode::OPTIN) && is_given),
        ("optout", mode.any(Mode::OPTOUT)),
        ("caching-no", mode.any(Mode::OPTOUT) && is_given),
        ("noloop", mode.any(Mode::NOLOOP)),
        ("broken_redirect", mode.any(Mode::BROKEN)),
    ];
    let flags: Vec<&str> = flags.iter().filter(|(_, on)| *on).map(|(flag, _)| *flag).collect();
    call.out.map(3);
    call.out.bulk(b"flags");
    call.out.set(flags.len());
    flags.iter().for_each(|flag| call.out.bulk(flag.as_bytes()));
    call.out.bulk(b"redirect");
    getredir(call, args)?;
    call.out.bulk(b"prefixes");
    let prefixes = call.session.client.tracker.get().map_or_else(Vec::new, |mine| mine.prefixes());
    call.out.array(prefixes.len());
    prefixes.iter().for_each(|prefix| call.out.bulk(prefix));
    Ok(())
}
