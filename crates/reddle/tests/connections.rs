//! What connections do beside commands and replies: half-closed, slow, greedy, silent, too many,
//! paused, killed, and what the server's limits make of them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv6Addr, Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Client, Folder, Server, Value};

const LIMIT: Duration = Duration::from_secs(10);

fn start(options: &[(&str, &str)]) -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), options)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("an option of the socket");
    stream.set_nodelay(true).expect("an option of the socket");
    stream
}

fn text(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Verbatim { data, .. } => String::from_utf8_lossy(data).into_owned(),
        other => panic!("no text: {other:?}"),
    }
}

/// Asks until the answer is as wanted.
fn wait_for(client: &mut Client, line: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + LIMIT;
    loop {
        let value = client.run(line);
        if is_it(&value) {
            return value;
        }
        assert!(Instant::now() < end, "{line} is still {value:?}");
        std::thread::yield_now();
    }
}

/// A field of a client's line in CLIENT LIST.
fn field(client: &mut Client, of: &str, name: &str) -> Option<String> {
    let list = text(&client.run("CLIENT LIST"));
    let line = list.lines().find(|line| line.contains(&format!(" name={of} ")))?;
    let prefix = format!("{name}=");
    let word = line.split(' ').find_map(|word| word.strip_prefix(&prefix));
    Some(word.unwrap_or_else(|| panic!("no {name} in {line}")).to_owned())
}

fn to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("still open after {} bytes: {error}", bytes.len()),
    }
    bytes
}

#[test]
fn who_closes_its_side_still_gets_every_answer() {
    for threads in ["1", "2"] {
        let server = start(&[("threads", threads)]);
        for round in 0..200 {
            let mut stream = connect(&server);
            stream.write_all(b"PING\r\nPING\r\n").expect("a server that reads");
            if round % 2 == 0 {
                std::thread::yield_now();
            }
            stream.shutdown(Shutdown::Write).expect("an open socket");
            assert_eq!(to_end(&mut stream), b"+PONG\r\n+PONG\r\n");
        }
    }
}

#[test]
fn many_who_close_their_sides_together_get_every_answer() {
    let server = start(&[("threads", "1")]);
    for _ in 0..20 {
        let mut streams: Vec<TcpStream> = (0..40).map(|_| connect(&server)).collect();
        for stream in &mut streams {
            stream.write_all(b"PING\r\nPING\r\n").expect("a server that reads");
            stream.shutdown(Shutdown::Write).expect("an open socket");
        }
        for stream in &mut streams {
            assert_eq!(to_end(stream), b"+PONG\r\n+PONG\r\n");
        }
    }
}

#[test]
fn who_closes_its_side_gets_more_than_the_buffers_hold() {
    let server = start(&[("threads", "1")]);
    server.client().call(&["SET", "k", &"v".repeat(5000)]);
    let mut stream = connect(&server);
    let count = 4000;
    stream.write_all(&b"GET k\r\n".repeat(count)).expect("a server that reads");
    stream.shutdown(Shutdown::Write).expect("an open socket");
    assert_eq!(to_end(&mut stream).len(), count * (5000 + "$5000\r\n\r\n".len()));
    let is_alone = |list: &Value| text(list).lines().count() == 1;
    wait_for(&mut server.client(), "CLIENT LIST", is_alone);
}

#[test]
fn who_never_reads_costs_memory_but_nobody_waits() {
    let server = start(&[("threads", "1")]);
    let mut other = server.client();
    other.call(&["SET", "k", &"v".repeat(10_000)]);
    let mut greedy = connect(&server);
    greedy.write_all(b"CLIENT SETNAME greedy\r\n").expect("a server that reads");
    greedy.write_all(&b"GET k\r\n".repeat(3000)).expect("a server that reads");
    wait_for(&mut other, "GET k", |value| text(value).len() == 10_000);
    let is_waiting = |list: &Value| text(list).contains("events=rw");
    wait_for(&mut other, "CLIENT LIST", is_waiting);
    let field = |other: &mut Client, name: &str| {
        field(other, "greedy", name).and_then(|number| number.parse::<u64>().ok())
    };
    assert!(field(&mut other, "omem").expect("the greedy one") > 1_000_000);
    assert!(field(&mut other, "tot-mem").expect("the greedy one") > 1_000_000);
    let set = "CONFIG SET client-output-buffer-limit";
    let words: Vec<&str> = set.split(' ').chain(["normal 1mb 0 0"]).collect();
    assert_eq!(text(&other.call(&words)), "OK");
    let is_gone = |list: &Value| !text(list).contains("name=greedy");
    wait_for(&mut other, "CLIENT LIST", is_gone);
    assert!(server.log().contains("closed for overcoming of output buffer limits"));
}

#[test]
fn a_soft_limit_needs_time() {
    let server = start(&[("threads", "1"), ("hz", "100")]);
    let mut other = server.client();
    other.call(&["SET", "k", &"v".repeat(10_000)]);
    other.call(&["CONFIG", "SET", "client-output-buffer-limit", "normal 0 100kb 1"]);
    let mut greedy = connect(&server);
    greedy.write_all(&b"GET k\r\n".repeat(3000)).expect("a server that reads");
    let began = Instant::now();
    wait_for(&mut other, "CLIENT LIST", |list| text(list).contains("events=rw"));
    wait_for(&mut other, "CLIENT LIST", |list| text(list).lines().count() == 1);
    assert!(began.elapsed() > Duration::from_secs(1));
}

#[test]
fn an_error_of_the_protocol_is_readable_while_the_client_still_sends() {
    let server = start(&[]);
    for start in [&b"\x00"[..], b"*\x00", b"$\x00", b"*1\r\n$\x00"] {
        let mut stream = connect(&server);
        stream.write_all(start).expect("a server that reads");
        // What the client cannot send any more because the server ended is no failure.
        for _ in 0..300 {
            if stream.write_all(&[b'A'; 1024]).is_err() {
                break;
            }
        }
        let mut reply = [0; 21];
        stream.read_exact(&mut reply).expect("a reply");
        assert_eq!(&reply, b"-ERR Protocol error: ");
    }
}

#[test]
fn a_big_argument_ends_as_it_should() {
    let server = start(&[]);
    let mut stream = connect(&server);
    stream.write_all(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n").expect("a server that reads");
    stream.write_all(&[b'v'; 100_002]).expect("a server that reads");
    assert_eq!(to_end(&mut stream), b"-ERR Protocol error: invalid CRLF in request\r\n");
    assert_eq!(server.client().run("EXISTS k"), Value::Int(0));
}

#[test]
fn an_announced_length_costs_nothing() {
    let server = start(&[("threads", "1")]);
    let mut streams: Vec<TcpStream> = (0..50).map(|_| connect(&server)).collect();
    for stream in &mut streams {
        let header = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nv";
        stream.write_all(header).expect("a server that reads");
    }
    let mut client = server.client();
    wait_for(&mut client, "CLIENT LIST", |list| text(list).matches("argv-mem=4").count() == 50);
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a process");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kilobytes < 200_000, "{kilobytes} kB");
}

#[test]
fn a_client_may_leave_at_any_byte() {
    let server = start(&[("threads", "2")]);
    let mut bytes = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$40000\r\n".to_vec();
    bytes.extend([b'v'; 40_000]);
    bytes.extend(b"\r\n*1\r\n$4\r\nPING\r\n");
    let cuts = (1..40).chain((40..bytes.len()).step_by(1999)).chain([bytes.len() - 1]);
    for cut in cuts {
        let mut stream = connect(&server);
        stream.write_all(&bytes[..cut]).expect("a server that reads");
        drop(stream);
    }
    let mut client = server.client();
    wait_for(&mut client, "CLIENT LIST", |list| text(list).lines().count() == 1);
}

#[test]
fn a_pause_holds_writes_back_and_lets_them_go_in_order() {
    for threads in ["1", "3"] {
        let server = start(&[("threads", threads)]);
        let mut admin = server.client();
        assert_eq!(text(&admin.run("CLIENT PAUSE 100000 WRITE")), "OK");
        let mut writers: Vec<Client> = (0..10).map(|_| server.client()).collect();
        let big = "b".repeat(50_000);
        for (at, writer) in writers.iter_mut().enumerate() {
            let lines = format!("GET none\r\nAPPEND k{at} a\r\nAPPEND k{at} b\r\nGET k{at}\r\n");
            writer.send(lines.as_bytes()).expect("a server that reads");
            assert_eq!(writer.receive().expect("an answer to the read"), Value::Null);
            // Big arguments, at the end of a command and in the middle, wait as well.
            let more = format!(
                "*3\r\n$3\r\nSET\r\n$2\r\nb{at}\r\n$50000\r\n{big}\r\n\
                 *5\r\n$3\r\nSET\r\n$2\r\nc{at}\r\n$50000\r\n{big}\r\n$2\r\nEX\r\n$4\r\n1000\r\n\
                 STRLEN c{at}\r\n"
            );
            writer.send(more.as_bytes()).expect("a server that reads");
        }
        let all_wait = |list: &Value| text(list).matches(" flags=b ").count() == 10;
        wait_for(&mut admin, "CLIENT LIST", all_wait);
        assert!(text(&admin.run("INFO clients")).contains("blocked_clients:10\r\n"));
        assert_eq!(admin.run("EXISTS k0 k1 b0 c0"), Value::Int(0));
        assert_eq!(text(&admin.run("CLIENT UNPAUSE")), "OK");
        for writer in &mut writers {
            let mut next = || writer.receive().expect("a reply");
            assert_eq!(next(), Value::Int(1));
            assert_eq!(next(), Value::Int(2));
            assert_eq!(text(&next()), "ab");
            assert_eq!(text(&next()), "OK");
            assert_eq!(text(&next()), "OK");
            assert_eq!(next(), Value::Int(50_000));
        }
    }
}

#[test]
fn a_big_argument_in_the_middle_waits_alone() {
    let server = start(&[("threads", "1")]);
    let (mut admin, mut writer) = (server.client(), server.client());
    admin.run("CLIENT PAUSE 100000 WRITE");
    let big = "b".repeat(70_000);
    let head = "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$70000\r\n";
    writer.send(head.as_bytes()).expect("a server that reads");
    writer.send(format!("{big}\r\n").as_bytes()).expect("a server that reads");
    wait_for(&mut admin, "CLIENT LIST", |list| text(list).contains("argv-mem=70004"));
    writer.send(b"$2\r\nEX\r\n$4\r\n1000\r\nSTRLEN k\r\n").expect("a server that reads");
    wait_for(&mut admin, "CLIENT LIST", |list| text(list).contains(" flags=b "));
    admin.run("CLIENT UNPAUSE");
    assert_eq!(text(&writer.receive().expect("a reply")), "OK");
    assert_eq!(writer.receive().expect("a reply"), Value::Int(70_000));
}

#[test]
fn a_pause_ends_by_itself_and_does_not_keep_the_server() {
    for threads in ["1", "2"] {
        let mut server = start(&[("threads", threads), ("hz", "1")]);
        let mut clients: Vec<Client> = (0..3).map(|_| server.client()).collect();
        let began = Instant::now();
        assert_eq!(text(&clients[0].run("CLIENT PAUSE 300 ALL")), "OK");
        assert_eq!(text(&clients[1].run("SET k v")), "OK");
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(299), "{took:?}");
        assert!(took < Duration::from_millis(900), "the end of a pause is not a matter of hz");
        clients[0].run("CLIENT PAUSE 100000 ALL");
        clients[1].send(b"GET k\r\n").expect("a server that reads");
        clients[2].send(b"CLIENT UNPAUSE\r\n").expect("a server that reads");
        let ended = Command::new("kill").arg(server.pid().to_string()).status();
        assert!(ended.expect("a signal that is sent").success());
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn keys_do_not_expire_while_writes_are_paused() {
    let server = start(&[("threads", "2")]);
    let mut client = server.client();
    let lines = [&["SET", "k", "v", "PX", "30"][..], &["SET", "other", "v", "PX", "30"]];
    client.pipeline(&[lines[0], lines[1], &["CLIENT", "PAUSE", "100000", "WRITE"]]);
    wait_for(&mut client, "EXISTS k other", |value| *value == Value::Int(0));
    assert_eq!(client.run("GET k"), Value::Null);
    assert_eq!(client.run("DBSIZE"), Value::Int(2));
    assert!(text(&client.run("INFO stats")).contains("expired_keys:0\r\n"));
    client.run("CLIENT UNPAUSE");
    wait_for(&mut client, "DBSIZE", |value| *value == Value::Int(0));
    assert!(text(&client.run("INFO stats")).contains("expired_keys:2\r\n"));
}

#[test]
fn whoever_is_paused_and_leaves_is_gone() {
    let server = start(&[("threads", "2")]);
    let mut admin = server.client();
    admin.run("CLIENT PAUSE 100000 WRITE");
    let mut writer = connect(&server);
    writer.write_all(b"SET k v\r\n").expect("a server that reads");
    wait_for(&mut admin, "CLIENT LIST", |list| text(list).contains(" flags=b "));
    drop(writer);
    wait_for(&mut admin, "CLIENT LIST", |list| text(list).lines().count() == 1);
    admin.run("CLIENT UNPAUSE");
    assert_eq!(admin.run("EXISTS k"), Value::Int(0));
}

#[test]
fn nothing_of_a_killed_client_runs_afterwards() {
    for threads in ["1", "2", "4"] {
        let server = start(&[("threads", threads)]);
        let mut admin = server.client();
        for round in 0..30 {
            let key = format!("k{round}");
            let mut victim = connect(&server);
            let name = format!("CLIENT SETNAME victim{round}\r\n");
            victim.write_all(name.as_bytes()).expect("a server that reads");
            victim.read_exact(&mut [0; 5]).expect("a reply");
            let line = format!("INCR {key}\r\n");
            victim.write_all(line.repeat(2000).as_bytes()).expect("a server that reads");
            let kill = format!("CLIENT KILL NAME victim{round}");
            assert_eq!(admin.run(&kill), Value::Int(1));
            let at_the_kill = admin.run(&format!("GET {key}"));
            to_end(&mut victim);
            assert_eq!(admin.run(&format!("GET {key}")), at_the_kill);
            let list = text(&admin.run("CLIENT LIST"));
            assert_eq!(list.lines().count(), 1, "{list}");
        }
    }
}

#[test]
fn who_kills_itself_hears_of_it() {
    let server = start(&[]);
    let mut stream = connect(&server);
    stream.write_all(b"CLIENT KILL SKIPME no\r\nSET k v\r\n").expect("a server that reads");
    assert_eq!(to_end(&mut stream), b":1\r\n");
    assert_eq!(server.client().run("EXISTS k"), Value::Int(0));
}

#[test]
fn what_follows_quit_is_not_run() {
    let server = start(&[]);
    let mut stream = connect(&server);
    let long = format!("QUIT\r\nSET k {}\r\n", "v".repeat(60_000));
    stream.write_all(long.as_bytes()).expect("a server that reads");
    let mut reply = [0; 5];
    stream.read_exact(&mut reply).expect("a reply");
    assert_eq!(&reply, b"+OK\r\n");
    // What is still under way must not turn the end into a broken connection.
    stream.write_all(b"PING\r\n").expect("an open socket");
    std::thread::yield_now();
    stream.write_all(b"PING\r\n").expect("an open socket");
    assert_eq!(stream.read(&mut reply).expect("an end"), 0);
    assert_eq!(server.client().run("EXISTS k"), Value::Int(0));
}

#[test]
fn too_many_clients_are_told() {
    let server = start(&[("maxclients", "5"), ("threads", "2")]);
    let mut clients: Vec<Client> = (0..5).map(|_| server.client()).collect();
    for client in &mut clients {
        client.run("PING");
    }
    let refused = to_end(&mut connect(&server));
    assert_eq!(refused, b"-ERR max number of clients reached\r\n");
    clients.pop();
    wait_for(&mut clients[0], "CLIENT LIST", |list| text(list).lines().count() == 4);
    assert_eq!(text(&server.client().run("PING")), "PONG");
}

#[test]
fn timeout_spares_monitors() {
    let server = start(&[("timeout", "1"), ("hz", "100"), ("threads", "1")]);
    let mut monitor = server.client();
    assert_eq!(text(&monitor.run("MONITOR")), "OK");
    // It is silent for less long than the monitor, and goes all the same.
    assert!(to_end(&mut connect(&server)).is_empty());
    server.client().run("ECHO seen");
    let seen = monitor.receive().expect("a line");
    assert!(text(&seen).ends_with("\"ECHO\" \"seen\""), "{seen:?}");
}

#[test]
fn a_silent_client_is_closed() {
    let server = start(&[("timeout", "1"), ("hz", "100")]);
    let (mut silent, mut busy) = (connect(&server), server.client());
    let began = Instant::now();
    silent.write_all(b"PING\r\n").expect("a server that reads");
    wait_for(&mut busy, "CLIENT LIST", |list| text(list).lines().count() == 1);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(to_end(&mut silent), b"+PONG\r\n");
}

#[test]
fn a_query_buffer_has_a_limit() {
    let server = start(&[("client-query-buffer-limit", "1mb"), ("threads", "1")]);
    let mut stream = connect(&server);
    let words = format!("*100000\r\n{}", "$20\r\n01234567890123456789\r\n".repeat(60_000));
    // The server may close before it has everything.
    stream.write_all(words.as_bytes()).ok();
    assert_eq!(to_end(&mut stream), b"");
    let mut stream = connect(&server);
    stream.write_all(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n").expect("a server that reads");
    stream.write_all(&[b'v'; 2_000_002]).ok();
    assert_eq!(to_end(&mut stream), b"");
    assert_eq!(server.client().run("EXISTS k"), Value::Int(0));
    assert!(server.log().contains("Closing client that reached max query buffer length: id="));
}

#[test]
fn strangers_may_send_little() {
    let server = start(&[("requirepass", "secret"), ("threads", "1")]);
    let cases: [(&[u8], &[u8]); 2] = [
        (b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length\r\n"),
        (b"*1\r\n$16385\r\n", b"-ERR Protocol error: unauthenticated bulk length\r\n"),
    ];
    for (bytes, reply) in cases {
        let mut stream = connect(&server);
        stream.write_all(bytes).expect("a server that reads");
        assert_eq!(to_end(&mut stream), reply);
    }
    let mut client = server.client();
    client.send(b"AUTH secret\r\n*12\r\n$3\r\nDEL\r\n").expect("a server that reads");
    client.send(&b"$1\r\nk\r\n".repeat(11)).expect("a server that reads");
    assert_eq!(text(&client.receive().expect("a reply")), "OK");
    assert_eq!(client.receive().expect("a reply"), Value::Int(0));
    let mut flood = connect(&server);
    // As long as it reads nothing it is closed before all is sent.
    for _ in 0..2000 {
        if flood.write_all(&b"GET k\r\n".repeat(1000)).is_err() {
            break;
        }
    }
    wait_for(&mut client, "CLIENT LIST", |list| text(list).lines().count() == 1);
}

#[test]
fn a_changed_password_is_asked_for_at_once() {
    let server = start(&[("threads", "2")]);
    let (mut first, mut second) = (server.client(), server.client());
    second.run("PING");
    let replies = first.pipeline(&[
        &["CONFIG", "SET", "requirepass", "secret"],
        &["AUTH", "wrong"],
        &["AUTH", "secret"],
        &["PING"],
    ]);
    let texts: Vec<String> = replies.iter().map(text).collect();
    let wrong = "WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(texts, ["OK", wrong, "OK", "PONG"]);
    assert_eq!(text(&second.run("PING")), "PONG", "who was in stays in");
    assert_eq!(text(&second.run("RESET")), "RESET");
    assert_eq!(text(&second.run("PING")), "NOAUTH Authentication required.");
    assert_eq!(text(&first.call(&["CONFIG", "SET", "requirepass", ""])), "OK");
    assert_eq!(text(&second.run("PING")), "PONG");
}

#[test]
fn whoever_connects_after_a_change_of_the_password_knows_it() {
    let server = start(&[("threads", "4")]);
    let mut admin = server.client();
    for _ in 0..50 {
        admin.run("CONFIG SET requirepass secret");
        let mut newcomers: Vec<Client> = (0..4).map(|_| server.client()).collect();
        for newcomer in &mut newcomers {
            assert_eq!(text(&newcomer.run("PING")), "NOAUTH Authentication required.");
        }
        admin.call(&["CONFIG", "SET", "requirepass", ""]);
        for _ in 0..4 {
            assert_eq!(text(&server.client().run("PING")), "PONG");
        }
    }
}

#[test]
fn a_unix_socket_has_its_permissions_and_serves() {
    let folder = Folder::new();
    let path = folder.join("socket");
    let shown = path.to_str().expect("a plain path");
    let _server = start(&[("unixsocket", shown), ("unixsocketperm", "740")]);
    let mode = fs::metadata(&path).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o740);
    let mut stream = UnixStream::connect(&path).expect("a connection");
    stream.write_all(b"CLIENT LIST\r\n").expect("a server that reads");
    stream.shutdown(Shutdown::Write).expect("an open socket");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("text");
    assert!(reply.contains(&format!("addr={shown}:0 laddr={shown}:0")), "{reply}");
    assert!(reply.contains(" flags=U "), "{reply}");
}

#[test]
fn addresses_of_both_families_are_served_and_missing_ones_may_be() {
    let Ok(probe) = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    drop(probe);
    let server = start(&[("bind", "127.0.0.1 -::1 -192.0.2.1")]);
    let address = (Ipv6Addr::LOCALHOST, server.port());
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(b"CLIENT LIST IP ::1\r\n").expect("a server that reads");
    stream.shutdown(Shutdown::Write).expect("an open socket");
    let reply = to_end(&mut stream);
    let port = server.port();
    let laddr = format!(" laddr=[::1]:{port} ");
    assert!(String::from_utf8_lossy(&reply).contains(&laddr), "{}", reply.escape_ascii());
}

#[test]
fn who_asks_is_not_idle() {
    let server = start(&[("threads", "1")]);
    let mut client = server.client();
    client.run("PING");
    std::thread::sleep(Duration::from_millis(1100));
    let line = text(&client.run("CLIENT INFO"));
    assert!(line.contains(" idle=0 "), "{line}");
}

#[test]
fn the_arguments_of_a_command_count_before_it_runs() {
    let server = start(&[("maxmemory-clients", "4mb"), ("save", "")]);
    let mut other = server.client();
    other.run("CLIENT NO-EVICT ON");
    // One argument that is read into a place of its own, and many that are read together.
    let one = vec![5 << 20];
    let many = vec![16_000; 400];
    for (turn, lengths) in [one, many].into_iter().enumerate() {
        let mut request = format!("*{}\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n", lengths.len() + 2);
        for length in lengths {
            request.push_str(&format!("${length}\r\n{}\r\n", "v".repeat(length)));
        }
        let mut stream = connect(&server);
        // The server closes the connection, at the latest when it has all of it.
        let _ = stream.write_all(request.as_bytes());
        let mut rest = [0; 64];
        assert!(!matches!(stream.read(&mut rest), Ok(1..)), "it ran: {rest:?}");
        assert_eq!(other.run("EXISTS list"), Value::Int(0));
        let evicted = format!("evicted_clients:{}\r", turn + 1);
        assert!(text(&other.run("INFO stats")).contains(&evicted));
    }
}

/// Who asks for much and reads nothing: as many as the descriptors allow, up to the number in the
/// environment.
#[test]
fn any_number_of_slow_readers_is_borne() {
    const REPLY: usize = 100_000;
    const REQUESTS: usize = 10;
    let wanted = std::env::var("REDDLE_SLOW_READERS").ok().and_then(|number| number.parse().ok());
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let most = descriptors.map_or(usize::MAX, |limit| (limit as usize).saturating_sub(100));
    let count = wanted.unwrap_or(800).min(most);
    let folder = Folder::new();
    let path = folder.join("socket");
    let server = start(&[
        ("unixsocket", path.to_str().expect("a plain path")),
        ("maxclients", "15000"),
        ("maxmemory", "100mb"),
        ("maxmemory-policy", "allkeys-lru"),
        ("maxmemory-clients", "10mb"),
        ("save", ""),
    ]);
    let mut other = server.client();
    other.run("CLIENT NO-EVICT ON");
    for element in 0..REPLY / 1000 {
        other.call(&["RPUSH", "list", &format!("{element:01000}")]);
    }
    let mut readers = Vec::new();
    for at in 0..count {
        let mut reader = UnixStream::connect(&path).expect("a connection");
        // Whoever takes too much is disconnected, perhaps before it has asked for all.
        let _ = reader.write_all(&b"LRANGE list 0 -1\r\n".repeat(REQUESTS));
        readers.push(reader);
        if at % 50 == 0 {
            assert_eq!(text(&other.run(&format!("SET probe {at}"))), "OK");
            assert_eq!(text(&other.run("GET probe")), at.to_string());
        }
    }
    // What the kernel takes of a reply is not the server's; no reader gets all of it there.
    let end = Instant::now() + LIMIT * 12;
    while other.info::<u64>("evicted_clients") < count as u64 / 2 {
        assert!(Instant::now() < end, "{}", text(&other.run("INFO clients")));
        std::thread::sleep(Duration::from_millis(10));
    }
    let peak: u64 = other.info("used_memory_peak");
    assert!(peak < 100 << 20, "{peak}");
    assert_eq!(other.run("EXISTS list"), Value::Int(1));
    assert_eq!(other.info::<u64>("evicted_keys"), 0);
}
