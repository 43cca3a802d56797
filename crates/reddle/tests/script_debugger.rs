//! SCRIPT DEBUG SYNC: what the debugger shows, and what it does.

use std::path::Path;

use testkit::{Client, Server, Value};

fn start() -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &[("threads", "2")])
}

/// A reply as its lines.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(lines).collect(),
        Value::Bulk(text) | Value::Simple(text) | Value::Error(text) => {
            vec![String::from_utf8_lossy(text).into_owned()]
        }
        other => vec![format!("{other:?}")],
    }
}

fn say(client: &mut Client, args: &[&str]) -> Vec<String> {
    let mut bytes = format!("*{}\r\n", args.len());
    for arg in args {
        bytes.push_str(&format!("${}\r\n{arg}\r\n", arg.len()));
    }
    client.send(bytes.as_bytes()).expect("the server reads");
    hear(client)
}

fn hear(client: &mut Client) -> Vec<String> {
    lines(&client.receive().expect("the server answers"))
}

fn debugged(server: &Server, script: &str) -> Client {
    let mut client = server.client();
    assert_eq!(say(&mut client, &["SCRIPT", "DEBUG", "SYNC"]), ["OK"]);
    let first = script.lines().next().expect("a line");
    let shown = say(&mut client, &["EVAL", script, "1", "key", "arg"]);
    assert_eq!(shown, ["* Stopped at 1, stop reason = step over", &format!("-> 1   {first}")]);
    client
}

const SCRIPT: &str = "local a = {1, 2, {x = 'y'}}
local function f(b)
  redis.breakpoint()
  return b + 1
end
redis.debug('at', a, nil)
local c = f(3)
redis.call('set', KEYS[1], c)
return redis.call('get', KEYS[1])
";

#[test]
fn it_steps_and_shows_what_there_is() {
    let server = start();
    let mut client = debugged(&server, SCRIPT);
    assert_eq!(say(&mut client, &["print"]), ["No local variables in the current context."]);
    assert_eq!(say(&mut client, &["p", "KEYS"]), ["<value> {\"key\"}"]);
    let stopped = ["* Stopped at 5, stop reason = step over", "-> 5   end"];
    assert_eq!(say(&mut client, &["step"]), stopped);
    assert_eq!(say(&mut client, &["p", "a"]), ["<value> {1; 2; {[\"x\"]=\"y\"}}"]);
    assert_eq!(say(&mut client, &["P", "none"]), ["No such variable."]);
    assert_eq!(say(&mut client, &["eval", "#{1, 2} + 2"]), ["<retval> 4"]);
    assert_eq!(say(&mut client, &["e", "error('x')"]), ["<error> ldb_eval:1: x"]);
    let pong = ["<command> ping", "<reply> \"+PONG\""];
    assert_eq!(say(&mut client, &["redis", "ping"]), pong);
    let shown = ["   7   local c = f(3)", "  #8   redis.call('set', KEYS[1], c)"];
    assert_eq!(say(&mut client, &["break", "8"])[..2], shown);
    let stopped = [
        "<debug> line 6: \"at\", {1; 2; {[\"x\"]=\"y\"}}, nil",
        "* Stopped at 4, stop reason = server.breakpoint() called",
        "-> 4     return b + 1",
    ];
    assert_eq!(say(&mut client, &["continue"]), stopped);
    let trace = ["In f:", "-> 4     return b + 1", "From top level:", "   7   local c = f(3)"];
    assert_eq!(say(&mut client, &["trace"]), trace);
    assert_eq!(say(&mut client, &["print"]), ["<value> b = 3"]);
    assert_eq!(say(&mut client, &["c"])[0], "* Stopped at 8, stop reason = break point");
    let stopped = [
        "<command> set key 4",
        "<reply> \"+OK\"",
        "* Stopped at 9, stop reason = step over",
        "-> 9   return redis.call('get', KEYS[1])",
    ];
    assert_eq!(say(&mut client, &["n"]), stopped);
    let unknown = "<error> Unknown Lua debugger command or wrong number of arguments.";
    assert_eq!(say(&mut client, &["bogus"]), [unknown]);
    assert_eq!(say(&mut client, &["redis"]), [unknown]);
    assert_eq!(say(&mut client, &["continue"]), ["<endsession>"]);
    assert_eq!(hear(&mut client), ["4"]);
    client.receive().expect_err("the connection ends with the session");
    assert_eq!(lines(&server.client().run("GET key")), ["4"]);
}

#[test]
fn who_aborts_or_goes_leaves_a_server_that_works() {
    let server = start();
    let mut client = debugged(&server, "redis.call('set', 'k', 1)\nreturn 2");
    say(&mut client, &["step"]);
    assert_eq!(say(&mut client, &["abort"]), ["<endsession>"]);
    assert!(hear(&mut client)[0].starts_with("ERR script aborted for user request"));
    assert_eq!(lines(&server.client().run("GET k")), ["1"]);

    drop(debugged(&server, "redis.call('set', 'k', 2)\nreturn 2"));
    assert_eq!(lines(&server.client().run("GET k")), ["2"]);

    let mut client = debugged(&server, "return 1");
    client.send(b"+nonsense\r\n").expect("the server reads");
    assert_eq!(hear(&mut client), ["<endsession>"]);
    assert!(hear(&mut client)[0].starts_with("ERR protocol error"));
}

#[test]
fn others_are_told_and_can_end_it() {
    let server = start();
    let mut other = server.client();
    assert_eq!(lines(&other.run("CONFIG SET busy-reply-threshold 20")), ["OK"]);
    let mut client = debugged(&server, "redis.call('set', 'k', 1)\nreturn 2");
    say(&mut client, &["step"]);
    while !lines(&other.run("GET k"))[0].starts_with("BUSY") {}
    assert_eq!(lines(&other.run("SCRIPT KILL")), ["OK"]);
    assert_eq!(hear(&mut client), ["<endsession>"]);
    assert!(hear(&mut client)[0].starts_with("ERR Script killed by user"));
    while lines(&other.run("PING"))[0].starts_with("BUSY") {}
    assert_eq!(lines(&other.run("EXISTS k")), ["Int(0)"]);
}

#[test]
fn what_cannot_be_debugged_is_refused() {
    let server = start();
    let mut client = server.client();
    assert_eq!(lines(&client.run("SCRIPT DEBUG NO")), ["OK"]);
    let forked = "ERR this server does not fork: only SCRIPT DEBUG SYNC is there";
    assert_eq!(lines(&client.run("SCRIPT DEBUG YES")), [forked]);
    assert_eq!(lines(&client.run("SCRIPT DEBUG x")), ["ERR Use SCRIPT DEBUG YES/SYNC/NO"]);
    assert_eq!(lines(&client.run("SCRIPT DEBUG SYNC")), ["OK"]);
    let sha = format!("EVALSHA {} 0", "0".repeat(40));
    let by_digest = "ERR Please use EVAL instead of EVALSHA for debugging";
    assert_eq!(lines(&client.run(&sha)), [by_digest]);
    assert_eq!(lines(&client.run("SCRIPT DEBUG NO")), ["OK"]);
    assert_eq!(say(&mut client, &["EVAL", "return redis.breakpoint()", "0"]), ["Null"]);
}
