//! Starts the binary once before any unit does.
//!
//! The suite waits minutes for each of its servers; a binary that cannot start at all, or whose
//! log lacks the lines by which the suite knows a server, is better found in seconds.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

/// Starts `src/valkey-server` of a scratch tree and waits for the lines that the suite waits for.
///
/// # Errors
/// What did not appear, with the end of what the server wrote.
pub(super) fn check(tree: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", tree.display());
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).map_err(fault)?;
    let config = tree.join("preflight.conf");
    let text = format!(
        "always-show-logo yes\nbind 127.0.0.1\nport {}\nsave ''\nlogfile ''\ndir {}\n",
        port.port(),
        tree.display(),
    );
    fs::write(&config, text).map_err(fault)?;
    let log = tree.join("preflight.log");
    let output = File::create(&log).map_err(fault)?;
    let mut server = Command::new(tree.join("src/valkey-server"))
        .arg(&config)
        .current_dir(tree)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(fault)?)
        .stderr(output)
        .spawn()
        .map_err(|error| format!("the binary does not start: {error}"))?;
    let result = wait_for_lines(&mut server, &log);
    // Both fail only when the server is gone already.
    let _ = server.kill();
    let _ = server.wait();
    result
}

fn wait_for_lines(server: &mut Child, log: &Path) -> Result<(), String> {
    let pid = format!(" PID: {}", server.id());
    let wanted = [pid.as_str(), "Server initialized", "Ready to accept"];
    let deadline = Instant::now() + LIMIT;
    loop {
        let exited = matches!(server.try_wait(), Ok(Some(_)) | Err(_));
        let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
        let Some(missing) = wanted.iter().find(|line| !text.contains(**line)) else {
            return Ok(());
        };
        if exited || Instant::now() > deadline {
            let what = if exited { "it ended" } else { "time passed" };
            let lines: Vec<&str> = text.lines().collect();
            let last = lines[lines.len().saturating_sub(5)..].join("\n");
            return Err(format!("the server never wrote {missing:?} before {what}:\n{last}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
