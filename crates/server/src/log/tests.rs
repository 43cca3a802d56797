//! The shapes of lines.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::*;
use crate::sys::LocalTime;

const TIME: LocalTime =
    LocalTime { year: 2026, month: 10, day: 3, hour: 7, minute: 4, second: 5, offset: -12_600 };

fn shown(level: Level, text: &str, format: &str, timestamp: &str) -> String {
    let line = Line { pid: 77, unix_us: 1_793_689_445_009_999, level, text };
    line.show_at(&TIME, Format::of(format), Timestamp::of(timestamp))
}

#[test]
fn legacy_lines_are_those_of_redis() {
    let line = shown(Level::Info, "Server initialized", "legacy", "legacy");
    assert_eq!(line, "77:M 03 Nov 2026 07:04:05.009 * Server initialized\n");
    let signs = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error]
        .map(|level| shown(level, "x", "legacy", "legacy"));
    assert_eq!(signs.map(|line| line.as_bytes()[30]), *b".-*##");
}

#[test]
fn the_other_time_stamps() {
    let line = shown(Level::Warn, "x", "legacy", "iso8601");
    assert_eq!(line, "77:M 2026-11-03T07:04:05.009-03:30 # x\n");
    assert_eq!(shown(Level::Warn, "x", "legacy", "milliseconds"), "77:M 1793689445009 # x\n");
}

#[test]
fn json_and_logfmt_stay_one_line() {
    let text = "a \"b\"\n\t\u{1}\\é";
    assert_eq!(
        shown(Level::Debug, text, "json", "milliseconds"),
        "{\"pid\":77,\"role\":\"primary\",\"timestamp\":\"1793689445009\",\"level\":\"info\",\
         \"message\":\"a \\\"b\\\"\\n\\t\\u0001\\\\é\"}\n"
    );
    assert_eq!(
        shown(Level::Trace, "a \"b\"\r\nc", "logfmt", "milliseconds"),
        "pid=77 role=primary timestamp=\"1793689445009\" level=debug message=\"a 'b'  c\"\n"
    );
}

#[test]
fn a_datagram_for_syslog_names_facility_and_process() {
    let syslog = Syslog::new(SOCKET, "reddle".into(), 16);
    let pid = std::process::id();
    assert_eq!(
        syslog.datagram(Level::Info, &TIME, "hello"),
        format!("<133>Nov  3 07:04:05 reddle[{pid}]: hello")
    );
}

#[test]
fn a_restarted_system_log_is_found_again() {
    let folder = std::env::temp_dir().join(format!("reddle-syslog-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("log");
    let syslog = Syslog::new(&path, "reddle".into(), 1);
    syslog.write(Level::Warn, "to nobody");
    for text in ["first", "second"] {
        std::fs::remove_file(&path).ok();
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        syslog.write(Level::Warn, text);
        let mut buffer = [0; 256];
        let len = socket.recv(&mut buffer).unwrap();
        let line = String::from_utf8_lossy(&buffer[..len]).into_owned();
        assert!(line.starts_with("<12>") && line.ends_with(&format!("]: {text}")), "{line}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn numbers_lead_back_to_their_formats() {
    for word in ["legacy", "logfmt", "json"] {
        assert_eq!(Format::from_number(Format::of(word) as u8), Format::of(word));
    }
    for word in ["legacy", "iso8601", "milliseconds"] {
        assert_eq!(Timestamp::from_number(Timestamp::of(word) as u8), Timestamp::of(word));
    }
}
