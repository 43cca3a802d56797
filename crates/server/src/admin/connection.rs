//! The connection itself: who it is, which protocol it speaks, which database it looks at.

use commands::{Args, Error};
use resp::{Proto, Writer};
use spec::config::Id;
use subtle::ConstantTimeEq;

use crate::admin;
use crate::admin::himport::forget;
use crate::call::{Call, Flow};
use crate::config::Config;
use crate::config::cli::Program;
use crate::refuse::printed;
use crate::rows::SessionHandler;
use crate::session::State;
use crate::version::Told;
use crate::{multi, pubsub, tracking};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("auth", auth),
    ("echo", echo),
    ("hello", hello),
    ("ping", ping),
    ("quit", quit),
    ("reset", reset),
    ("select", select),
];

/// The only user there is without access lists.
pub(super) const DEFAULT_USER: &str = "default";

const WRONG_PASSWORD: Error =
    Error::Text("WRONGPASS invalid username-password pair or user is disabled.");

const NO_PASSWORD: Error = Error::Text(
    "ERR AUTH <password> called without any password configured for the default user. \
     Are you sure your configuration is correct?",
);

const HELLO_FIRST: Error = Error::Text(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
     HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
     select the RESP protocol version at the same time",
);

/// AUTH \[username\] password - O(1).
fn auth(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (user, password) = match args.from(1) {
        [_] if call.local.tunables.password.is_empty() => return Err(NO_PASSWORD),
        [password] => (DEFAULT_USER.as_bytes(), *password),
        [user, password] => (*user, *password),
        _ => return Err(Error::Syntax),
    };
    authenticate(call, user, password)?;
    call.out.ok();
    Ok(())
}

/// Lets the client in when user and password are right.
fn authenticate(call: &mut Call<'_, '_>, user: &[u8], password: &[u8]) -> Result<(), Error> {
    let expected = &call.local.tunables.password;
    let is_right = expected.is_empty() || bool::from(expected.as_slice().ct_eq(password));
    if user != DEFAULT_USER.as_bytes() || !is_right {
        return Err(WRONG_PASSWORD);
    }
    call.session.put(State::NEEDS_AUTH, false);
    call.session.put(State::KNOWN, true);
    call.session.client.profile.lock().user = DEFAULT_USER.to_owned();
    Ok(())
}

/// HELLO \[protover \[AUTH username password\] \[SETNAME clientname\]\] - O(1).
fn hello(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let wish = match read_hello(args) {
        Ok(wish) => wish,
        Err(Refusal::Known(error)) => return Err(error),
        Err(Refusal::Option(word)) => {
            let shown = printed(word, word.len());
            return call.fail([b"ERR Syntax error in HELLO option '", shown, b"'"].concat());
        }
    };
    if let Some((user, password)) = wish.login {
        authenticate(call, user, password)?;
    }
    if call.session.must_authenticate(&call.local.tunables) {
        return Err(HELLO_FIRST);
    }
    if let Some(name) = wish.name {
        call.session.client.profile.lock().name = name.to_vec();
    }
    if let Some(proto) = wish.proto {
        speak(call, proto);
    }
    let program = call.server.program;
    greet(call.out, call.session.id(), program, &call.server.config.lock());
    Ok(())
}

/// What HELLO asks for.
#[derive(Default)]
struct Hello<'a> {
    proto: Option<Proto>,
    login: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

enum Refusal<'a> {
    Known(Error),
    Option(&'a [u8]),
}

fn read_hello<'a>(args: &Args<'a>) -> Result<Hello<'a>, Refusal<'a>> {
    let mut wish = Hello::default();
    if args.len() > 1 {
        let not_integer = "ERR Protocol version is not an integer or out of range";
        let number = args.int(1).map_err(|_| Refusal::Known(Error::Text(not_integer)))?;
        wish.proto = Some(match number {
            2 => Proto::Resp2,
            3 => Proto::Resp3,
            _ => return Err(Refusal::Known(Error::Text("NOPROTO unsupported protocol version"))),
        });
    }
    let mut rest = args.from(2);
    while let [word, tail @ ..] = rest {
        rest = match tail {
            [user, password, tail @ ..] if word.eq_ignore_ascii_case(b"auth") => {
                wish.login = Some((user, password));
                tail
            }
            [name, tail @ ..] if word.eq_ignore_ascii_case(b"setname") => {
                admin::client::check_name(name).map_err(Refusal::Known)?;
                wish.name = Some(name);
                tail
            }
            _ => return Err(Refusal::Option(word)),
        };
    }
    Ok(wish)
}

/// Changes the protocol of all replies from now on.
fn speak(call: &mut Call<'_, '_>, proto: Proto) {
    call.out.set_proto(proto);
    call.session.set_proto(proto);
}

/// Describes the server, with the fields in Redis's order. Clients choose features by the version,
/// and some understand only the names of the servers that they know.
fn greet(out: &mut Writer, id: u64, program: Program, config: &Config) {
    let told = Told::of(program, config);
    let zone = config.text(Id::AvailabilityZone);
    out.map(7 + usize::from(!zone.is_empty()));
    out.bulk(b"server");
    out.bulk(told.server.as_bytes());
    out.bulk(b"version");
    out.bulk(told.version.as_bytes());
    out.bulk(b"proto");
    out.int(if out.proto() == Proto::Resp3 { 3 } else { 2 });
    out.bulk(b"id");
    out.int(id as i64);
    out.bulk(b"mode");
    out.bulk(b"standalone");
    out.bulk(b"role");
    out.bulk(b"master");
    out.bulk(b"modules");
    out.array(0);
    if !zone.is_empty() {
        out.bulk(b"availability_zone");
        out.bulk(zone);
    }
}

/// PING \[message\] - O(1).
fn ping(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match args.get(1) {
        _ if args.len() > 2 => return Err(Error::Arity),
        message if pubsub::is_restricted(call.session, call.out) => {
            call.out.array(2);
            call.out.bulk(b"pong");
            call.out.bulk(message.unwrap_or_default());
        }
        Some(message) => call.out.bulk(message),
        None => call.out.simple("PONG"),
    }
    Ok(())
}

/// ECHO message - O(1).
fn echo(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.out.bulk(args[1]);
    Ok(())
}

/// QUIT - O(1).
fn quit(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.ok();
    call.flow = Flow::Close;
    Ok(())
}

/// RESET - O(1). What the client library said of itself stays: it is still the same library.
fn reset(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    multi::forget(call.server, call.session);
    pubsub::forget(call.server, call.local, call.session);
    tracking::end(call.server, call.session);
    call.session.select(0);
    speak(call, Proto::Resp2);
    let needs_auth = !call.local.tunables.password.is_empty();
    call.session.put(State::NEEDS_AUTH, needs_auth);
    let cleared = [
        State::REPLY_OFF,
        State::REPLY_SKIP_NEXT,
        State::NO_TOUCH,
        State::NO_EVICT,
        State::IMPORT_SOURCE,
    ];
    for state in cleared {
        call.session.put(state, false);
    }
    forget(call.session);
    {
        let mut profile = call.session.client.profile.lock();
        profile.name.clear();
        profile.user = DEFAULT_USER.to_owned();
    }
    call.out.simple("RESET");
    Ok(())
}

/// SELECT index - O(1).
fn select(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let index = args.int(1)?;
    if i32::try_from(index).is_err() {
        return Err(Error::Text(spec::error::BEYOND_32_BITS));
    }
    if !(0..i64::from(call.server.keyspace.databases())).contains(&index) {
        return Err(Error::Text(spec::error::DB_OUT_OF_RANGE));
    }
    call.session.select(index as u32);
    call.out.ok();
    Ok(())
}
