//! Waking a poller at a moment, more exactly than the milliseconds of its timeout.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub(crate) use exact::Timer;

#[cfg(not(target_os = "linux"))]
pub(crate) use coarse::Timer;

#[cfg(target_os = "linux")]
mod exact {
    use std::os::fd::{AsRawFd, OwnedFd};

    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    use super::{Duration, io};

    /// A descriptor that becomes readable at the moment.
    pub(crate) struct Timer {
        descriptor: OwnedFd,
        /// The moment for which it was set last.
        due: u64,
    }

    impl Timer {
        pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Timer> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let descriptor = timer.as_raw_fd();
            SourceFd(&descriptor).register(registry, token, Interest::READABLE)?;
            Ok(Timer { descriptor: timer, due: u64::MAX })
        }

        /// Wakes the poller at `due`, which is after `wait`; returns how long polling may take at
        /// most.
        pub(crate) fn set(
            &mut self,
            due: u64,
            wait: Duration,
            limit: Duration,
        ) -> io::Result<Duration> {
            // Replies that come before the moment do not change it.
            if std::mem::replace(&mut self.due, due) == due {
                return Ok(limit);
            }
            // A value of nothing would disarm it.
            let wait = wait.max(Duration::from_nanos(1));
            let value =
                Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let setting = Itimerspec { it_interval: never, it_value: value };
            timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &setting)?;
            Ok(limit)
        }
    }

    use mio::event::Source;
}

#[cfg(not(target_os = "linux"))]
mod coarse {
    use mio::{Registry, Token};

    use super::{Duration, io};

    /// The poller's own timeout.
    pub(crate) struct Timer;

    impl Timer {
        pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Timer> {
            Ok(Timer)
        }

        pub(crate) fn set(
            &mut self,
            _: u64,
            wait: Duration,
            limit: Duration,
        ) -> io::Result<Duration> {
            Ok(wait.min(limit))
        }
    }
}
