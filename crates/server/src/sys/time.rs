//! The time of day where this machine is.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What a clock on the wall shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalTime {
    /// Such as 2026.
    pub year: i32,
    /// From 0, January.
    pub month: i32,
    /// From 1.
    pub day: i32,
    /// From 0 to 23.
    pub hour: i32,
    /// From 0.
    pub minute: i32,
    /// From 0 to 60, for a leap second.
    pub second: i32,
    /// Seconds that local time is ahead of universal time.
    pub offset: i64,
}

impl LocalTime {
    /// The first three letters of the month.
    pub fn month_name(&self) -> &'static str {
        MONTHS[self.month.rem_euclid(12) as usize]
    }
}

/// The local time of a moment in Unix seconds.
pub fn local_time(unix_seconds: i64) -> LocalTime {
    let seconds = unix_seconds as libc::time_t;
    // SAFETY: a `tm` of zeroes is valid (its zone is a null pointer that nobody follows).
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers lead to live values of their types, and the reentrant form keeps
    // nothing of them. A moment that has no date leaves the zeroes.
    unsafe { libc::localtime_r(&seconds, &mut tm) };
    LocalTime {
        year: tm.tm_year + 1900,
        month: tm.tm_mon,
        day: tm.tm_mday,
        hour: tm.tm_hour,
        minute: tm.tm_min,
        second: tm.tm_sec,
        offset: tm.tm_gmtoff as i64,
    }
}
