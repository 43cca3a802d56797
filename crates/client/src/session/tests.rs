//! The session's promises, checked without a socket: what is sent, matched, repeated and told.

use resp::{Proto, Value};

use super::{Event, Session, Ticket};
use crate::command::{Command, Unit};
use crate::error::Fate;
use crate::push::{Message, Push};
use crate::setup::{Setup, Tracking};

fn plain() -> Session {
    let mut session = Session::new(Setup::default());
    session.connected();
    assert_eq!(session.event(), Some(Event::Ready));
    session
}

fn line(text: &str) -> Command {
    Command::from_words(text.split(' ')).unwrap()
}

fn submit(session: &mut Session, text: &str) -> Ticket {
    session.submit(Unit::single(line(text)))
}

/// What was sent since the last call, a line a command; all of it was taken.
fn sent(session: &mut Session) -> Vec<String> {
    let out = session.outgoing().to_vec();
    session.handed(out.len());
    commands(&out)
}

fn commands(mut bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some((Value::Array(words), length)) = resp::decode(bytes).unwrap() {
        let word = |word: &Value| match word {
            Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => panic!("{other:?}"),
        };
        lines.push(words.iter().map(word).collect::<Vec<_>>().join(" "));
        bytes = &bytes[length..];
    }
    lines
}

fn reply(session: &mut Session, text: &str) {
    session.received(text.replace(' ', "\r\n").as_bytes()).unwrap();
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.event()).collect()
}

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

#[test]
fn replies_are_matched_in_order() {
    let mut session = plain();
    let (a, b) = (submit(&mut session, "SET k v"), submit(&mut session, "GET k"));
    assert_eq!(sent(&mut session), ["SET k v", "GET k"]);
    reply(&mut session, "+OK $1 v ");
    let value = Value::Bulk(b"v".to_vec());
    assert_eq!(events(&mut session), [Event::Reply(a, ok()), Event::Reply(b, value)]);
    assert!(!session.has_in_flight());
}

#[test]
fn a_write_that_left_is_not_repeated_and_the_rest_is() {
    let mut session = plain();
    let gone = submit(&mut session, "INCR a");
    let read = session.submit(Unit::single(line("GET a").may_repeat()));
    let cut = submit(&mut session, "INCR b");
    let never = submit(&mut session, "INCR c");
    // All but the last byte of the third command and the whole fourth.
    let one = {
        let mut out = Vec::new();
        line("INCR c").encode(&mut out);
        out.len()
    };
    let taken = session.outgoing().len() - one - 1;
    session.handed(taken);
    session.lost();
    assert_eq!(events(&mut session), [Event::Failed(gone, Fate::MayHaveRun)]);
    session.connected();
    assert_eq!(sent(&mut session), ["GET a", "INCR b", "INCR c"]);
    reply(&mut session, "$1 1 :1 :1 ");
    let one = |ticket| Event::Reply(ticket, Value::Int(1));
    let first = Event::Reply(read, Value::Bulk(b"1".to_vec()));
    assert_eq!(events(&mut session), [Event::Ready, first, one(cut), one(never)]);
}

#[test]
fn what_waits_says_whether_it_was_sent() {
    let mut session = plain();
    let read = session.submit(Unit::single(line("GET a").may_repeat()));
    sent(&mut session);
    session.lost();
    let write = submit(&mut session, "INCR a");
    assert_eq!(session.cancel(read), Fate::MayHaveRun);
    session.give_up();
    assert_eq!(events(&mut session), [Event::Failed(write, Fate::DidNotRun)]);
    let later = submit(&mut session, "INCR a");
    assert_eq!(session.cancel(later), Fate::DidNotRun);
    session.connected();
    assert_eq!(sent(&mut session), [""; 0]);
}

#[test]
fn what_was_sent_once_may_have_run_whatever_became_of_it_later() {
    let mut session = plain();
    let ticket = session.submit(Unit::single(line("SET a 1").may_repeat()));
    sent(&mut session);
    session.lost();
    session.connected();
    session.handed(1);
    session.lost();
    session.give_up();
    assert_eq!(events(&mut session), [Event::Ready, Event::Failed(ticket, Fate::MayHaveRun)]);
}

#[test]
fn a_connection_is_greeted_with_what_the_last_one_had() {
    let setup = Setup {
        protocol: Proto::Resp3,
        password: Some("pw".into()),
        name: Some("me".into()),
        database: 2,
        tracking: Some(Tracking { no_loop: true, ..Tracking::default() }),
        ..Setup::default()
    };
    let mut session = Session::new(setup);
    let early = submit(&mut session, "PING");
    session.connected();
    assert_eq!(sent(&mut session), ["HELLO 3 AUTH default pw SETNAME me"]);
    reply(&mut session, "%0 ");
    assert_eq!(sent(&mut session), ["SELECT 2", "CLIENT TRACKING ON NOLOOP"]);
    reply(&mut session, "+OK +OK ");
    assert_eq!(sent(&mut session), ["PING"]);
    reply(&mut session, "+PONG ");
    submit(&mut session, "SELECT 3");
    submit(&mut session, "SUBSCRIBE a b");
    submit(&mut session, "UNSUBSCRIBE a");
    submit(&mut session, "CLIENT SETNAME you");
    sent(&mut session);
    reply(&mut session, "+OK >3 +subscribe $1 a :1 >3 +subscribe $1 b :2 ");
    reply(&mut session, ">3 +unsubscribe $1 a :1 +OK ");
    let answered = |event: &Event| matches!(event, Event::Reply(_, value) if *value == ok());
    let events = events(&mut session);
    assert_eq!(events[1], Event::Reply(early, Value::Simple(b"PONG".to_vec())));
    assert_eq!(events.iter().filter(|event| answered(event)).count(), 4);
    session.lost();
    session.connected();
    assert_eq!(sent(&mut session), ["HELLO 3 AUTH default pw SETNAME you"]);
    reply(&mut session, "%0 ");
    let restored = ["SELECT 3", "CLIENT TRACKING ON NOLOOP", "SUBSCRIBE b"];
    assert_eq!(sent(&mut session), restored);
    assert!(!session.is_ready());
    reply(&mut session, "+OK +OK >3 +subscribe $1 b :1 ");
    assert!(session.is_ready());
    assert_eq!(session.event(), Some(Event::Ready));
    assert_eq!(session.event(), Some(Event::Push(Push::Gap)));
}

#[test]
fn an_old_server_is_spoken_to_in_resp2() {
    let setup = Setup { protocol: Proto::Resp3, password: Some("pw".into()), ..Setup::default() };
    let mut session = Session::new(setup);
    session.connected();
    assert_eq!(sent(&mut session), ["HELLO 3 AUTH default pw"]);
    session.received(b"-ERR unknown command 'HELLO'\r\n").unwrap();
    assert_eq!(sent(&mut session), ["AUTH pw"]);
    reply(&mut session, "+OK ");
    assert_eq!(events(&mut session), [Event::Ready]);
}

#[test]
fn a_refused_greeting_is_told() {
    let setup = Setup { password: Some("no".into()), database: 1, ..Setup::default() };
    let mut session = Session::new(setup);
    session.connected();
    assert_eq!(sent(&mut session), ["AUTH no", "SELECT 1"]);
    session.received(b"-WRONGPASS no\r\n-NOAUTH no\r\n").unwrap();
    assert_eq!(session.refusal(), Some(&Value::Error(b"WRONGPASS no".to_vec())));
    assert!(!session.is_ready() && session.event().is_none());
}

#[test]
fn messages_of_resp2_are_told_from_replies() {
    let mut session = plain();
    let subscribed = submit(&mut session, "SUBSCRIBE c");
    let pinged = submit(&mut session, "PING");
    reply(&mut session, "*3 $9 subscribe $1 c :1 *3 $7 message $1 c $2 hi *2 $4 pong $0  ");
    let message = Message { channel: b"c".to_vec(), pattern: None, payload: b"hi".to_vec() };
    let pong = Value::Array(vec![Value::Bulk(b"pong".to_vec()), Value::Bulk(Vec::new())]);
    let expected = [
        Event::Reply(subscribed, ok()),
        Event::Push(Push::Message(message)),
        Event::Reply(pinged, pong),
    ];
    assert_eq!(events(&mut session), expected);
    // A list that only looks like a message is a reply once nothing is subscribed to.
    submit(&mut session, "UNSUBSCRIBE");
    let list = submit(&mut session, "LRANGE l 0 -1");
    reply(&mut session, "*3 $11 unsubscribe $1 c :0 *3 $7 message $1 c $2 hi ");
    let last = events(&mut session).pop();
    assert!(matches!(last, Some(Event::Reply(ticket, Value::Array(_))) if ticket == list));
}

#[test]
fn a_refused_subscription_is_not_restored() {
    let mut session = plain();
    let ticket = submit(&mut session, "SUBSCRIBE a b");
    session.received(b"-NOPERM no\r\n").unwrap();
    let refused = Value::Error(b"NOPERM no".to_vec());
    assert_eq!(events(&mut session), [Event::Reply(ticket, refused)]);
    session.lost();
    session.connected();
    assert_eq!(sent(&mut session), ["SUBSCRIBE a b"; 0]);
}

#[test]
fn a_transaction_has_one_answer() {
    let mut session = plain();
    let unit = || Unit::transaction([line("INCR a"), line("INCR b")]);
    let good = session.submit(unit());
    let bad = session.submit(unit());
    assert_eq!(sent(&mut session).len(), 8);
    reply(&mut session, "+OK +QUEUED +QUEUED *2 :1 :1 ");
    session.received(b"+OK\r\n-ERR first\r\n+QUEUED\r\n-EXECABORT no\r\n").unwrap();
    let ones = Value::Array(vec![Value::Int(1), Value::Int(1)]);
    let error = Value::Error(b"ERR first".to_vec());
    assert_eq!(events(&mut session), [Event::Reply(good, ones), Event::Reply(bad, error)]);
}

#[test]
fn a_transaction_without_its_exec_is_sent_again_whole_but_not_without_its_watch() {
    let mut session = plain();
    let unit = Unit::transaction([line("INCR a")]);
    let watched = session.submit(unit.clone().on_connection(session.connection()));
    let free = session.submit(unit);
    let all = session.outgoing().len();
    session.handed(all / 2 - 1);
    session.lost();
    session.connected();
    assert_eq!(sent(&mut session), ["MULTI", "INCR a", "EXEC"]);
    let failed = Event::Failed(watched, Fate::DidNotRun);
    assert_eq!(events(&mut session), [Event::Ready, failed]);
    session.lost();
    assert_eq!(events(&mut session), [Event::Failed(free, Fate::MayHaveRun)]);
}

#[test]
fn an_unknown_script_is_sent_whole() {
    let mut session = plain();
    let unit = Unit::single(line("EVALSHA abc 0")).or_else(line("EVAL x 0"));
    let ticket = session.submit(unit);
    assert_eq!(sent(&mut session), ["EVALSHA abc 0"]);
    session.received(b"-NOSCRIPT no\r\n").unwrap();
    assert_eq!(sent(&mut session), ["EVAL x 0"]);
    reply(&mut session, ":1 ");
    assert_eq!(events(&mut session), [Event::Reply(ticket, Value::Int(1))]);
}

#[test]
fn a_cached_reply_lasts_until_its_key_changes() {
    let tracking = Some(Tracking::default());
    let setup = Setup { protocol: Proto::Resp3, tracking, ..Setup::default() };
    let mut session = Session::new(setup);
    session.set_cache(10);
    session.connected();
    reply(&mut session, "%0 +OK ");
    let get = || Unit::single(Command::new("GET").key("k").may_repeat()).cached();
    session.submit(get());
    sent(&mut session);
    reply(&mut session, "$1 v ");
    session.submit(get());
    assert_eq!(sent(&mut session), [""; 0]);
    // The invalidation overtakes nothing: what is read before it is not kept.
    reply(&mut session, ">2 $10 invalidate *1 $1 k ");
    session.submit(get());
    assert_eq!(sent(&mut session), ["GET k"]);
    reply(&mut session, "$1 w >2 $10 invalidate *1 $1 k ");
    session.submit(get());
    assert_eq!(sent(&mut session), ["GET k"]);
    reply(&mut session, "$1 x ");
    session.lost();
    session.submit(get());
    session.connected();
    reply(&mut session, "%0 +OK ");
    assert_eq!(sent(&mut session).last().map(String::as_str), Some("GET k"));
    assert_eq!(session.cache_hits_misses(), (1, 3));
}

#[test]
fn garbage_is_an_error() {
    let mut session = plain();
    assert!(session.received(b"HTTP/1.1 400\r\n").is_err());
}
