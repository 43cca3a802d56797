//! `--pipe`: protocol from the standard input to the server, and the count of its replies.
//!
//! One thread writes and one reads, since a server may stop reading while nobody takes its replies.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::Value;

use super::connection::{Broken, Connection};
use super::operator::Operator;
use super::{Done, Failure, out};

/// How often the reader looks whether everything was sent.
const LOOK: Duration = Duration::from_millis(100);

/// Length of the words by which the last reply is known.
const MARK_LENGTH: usize = 20;

pub(super) fn run(mut operator: Operator) -> Done {
    let limit = Duration::from_secs(operator.options.pipe_timeout);
    let Some(mut connection) = operator.connection.take() else { return Err(Failure::Told) };
    let mut writer = connection.second_handle().map_err(|error| error.to_string())?;
    let sent = AtomicBool::new(false);
    let mark: [u8; MARK_LENGTH] = std::array::from_fn(|_| fastrand::u8(..));
    std::thread::scope(|scope| {
        let sent = &sent;
        let sending = scope.spawn(move || send_all(&mut writer, &mark, sent));
        let counted = count(&mut connection, sent, &mark, limit);
        if counted.is_err() {
            // The writer may wait for the standard input or the server for ever.
            if let Err(Failure::Text(text)) = counted {
                out::problem(text);
            }
            std::process::exit(1);
        }
        match sending.join() {
            Ok(done) => done?,
            Err(_) => return Err(Failure::Told),
        }
        counted
    })
}

/// Sets `sent` before the last command leaves, so that its reply is known when it comes.
fn send_all(writer: &mut impl io::Write, mark: &[u8], sent: &AtomicBool) -> Result<(), String> {
    let failed = |error: io::Error| format!("Error writing to the server: {error}");
    let mut stdin = io::stdin().lock();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = stdin
            .read(&mut buffer)
            .map_err(|error| format!("Error reading from stdin: {error}"))?;
        if count == 0 {
            break;
        }
        writer.write_all(&buffer[..count]).map_err(failed)?;
    }
    // The line end in front closes a line that was cut short; servers ignore one that is empty.
    let mut echo = b"\r\n*2\r\n$4\r\nECHO\r\n$20\r\n".to_vec();
    echo.extend_from_slice(mark);
    echo.extend_from_slice(b"\r\n");
    out::text("All data transferred. Waiting for the last reply...\n");
    sent.store(true, Ordering::Release);
    writer.write_all(&echo).and_then(|()| writer.flush()).map_err(failed)
}

fn count(
    connection: &mut Connection,
    sent: &AtomicBool,
    mark: &[u8],
    limit: Duration,
) -> Result<(), Failure> {
    let (mut errors, mut replies, mut idle) = (0_u64, 0_u64, Duration::ZERO);
    loop {
        match connection.receive_within(Some(LOOK)) {
            Ok(Value::Bulk(text)) if sent.load(Ordering::Acquire) && text == mark => {
                out::text("Last reply received from server.\n");
                break;
            }
            Ok(value) => {
                idle = Duration::ZERO;
                replies += 1;
                if let Value::Error(text) = value {
                    out::problem(String::from_utf8_lossy(&text));
                    errors += 1;
                }
            }
            Err(Broken::TimedOut) => {
                idle = if sent.load(Ordering::Acquire) { idle + LOOK } else { Duration::ZERO };
                if !limit.is_zero() && idle > limit {
                    let seconds = limit.as_secs();
                    out::problem(format_args!("No replies for {seconds} seconds: exiting."));
                    errors += 1;
                    break;
                }
            }
            Err(error) => {
                return Err(format!("Error reading replies from server: {error}").into());
            }
        }
    }
    out::text(format_args!("errors: {errors}, replies: {replies}\n"));
    if errors == 0 { Ok(()) } else { Err(Failure::Told) }
}
