//! `--stat`: a line about the server for each interval.

use std::time::Duration;

use client::Value;

use super::operator::Operator;
use super::{Done, out};

const HEAD: &str = "\
------- data ------ --------------------- load -------------------- - child -
keys       mem      clients blocked requests            connections          
";

pub(super) fn run(mut operator: Operator) -> Done {
    let interval = operator.options.interval;
    let interval = if interval.is_zero() { Duration::from_secs(1) } else { interval };
    let (mut before, mut lines) = (None, 0_u64);
    loop {
        let info = match operator.quiet_call(&["INFO"]) {
            Ok(Value::Bulk(text) | Value::Verbatim { data: text, .. }) => text,
            Ok(Value::Error(text)) => {
                return Err(format!("ERROR: {}", String::from_utf8_lossy(&text)).into());
            }
            Ok(_) => return Err("INFO returned something else than text".into()),
            Err(error) => {
                reconnect(&mut operator, error)?;
                continue;
            }
        };
        let info = String::from_utf8_lossy(&info);
        if lines.is_multiple_of(20) {
            out::text(HEAD);
        }
        lines += 1;
        let requests = field(&info, "total_commands_processed");
        out::text(line(&info, requests - before.unwrap_or(requests)));
        before = Some(requests);
        std::thread::sleep(interval);
    }
}

/// Tries for a while before it gives up with the first error.
fn reconnect(operator: &mut Operator, error: super::Failure) -> Done {
    for attempt in 1..=30 {
        out::text(format_args!("\r\x1b[0KReconnecting... {attempt}\r"));
        std::thread::sleep(Duration::from_secs(1));
        if operator.connect().is_ok() {
            out::text("\r\x1b[0K");
            return Ok(());
        }
    }
    Err(error)
}

fn line(info: &str, more: i64) -> String {
    let keys: i64 = info
        .lines()
        .filter(|line| line.starts_with("db"))
        .filter_map(|line| line.split_once(":keys=")?.1.split(',').next()?.parse::<i64>().ok())
        .sum();
    let memory = human(field(info, "used_memory"));
    let (clients, blocked) = (field(info, "connected_clients"), field(info, "blocked_clients"));
    let requests = format!("{} (+{more})", field(info, "total_commands_processed"));
    let connections = field(info, "total_connections_received");
    let saving = field(info, "rdb_bgsave_in_progress") != 0;
    let rewriting = field(info, "aof_rewrite_in_progress") != 0;
    let child = match (saving, rewriting) {
        _ if field(info, "loading") != 0 => "LOAD",
        (true, true) => "SAVE+AOF",
        (true, false) => "SAVE",
        (false, true) => "AOF",
        (false, false) => "",
    };
    let left = format!("{keys:<11}{memory:<8} {clients:<8}{blocked:<8}");
    format!("{left}{requests:<19} {connections:<12}{child}\n")
}

/// A number of the server's information; zero if it is not there.
fn field(info: &str, name: &str) -> i64 {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok();
    info.lines().find_map(value).unwrap_or(0)
}

/// A number of bytes with its unit.
fn human(bytes: i64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let number = bytes as f64;
    match bytes {
        ..1024 => format!("{bytes}B"),
        1024..0x10_0000 => format!("{:.2}K", number / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.2}M", number / 1048576.0),
        _ => format!("{:.2}G", number / 1073741824.0),
    }
}
