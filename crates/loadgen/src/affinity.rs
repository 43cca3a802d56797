//! On which cores a thread runs.

/// The cores that the calling thread may use.
#[cfg(target_os = "linux")]
pub fn get() -> Vec<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(set) = sched_getaffinity(None) else { return vec![0] };
    (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}

/// Restricts the calling thread, and what it starts from now on, to these cores; says whether the
/// system agreed. An empty list leaves the thread where it is.
#[cfg(target_os = "linux")]
pub fn pin(cpus: &[usize]) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu));
    cpus.is_empty() || sched_setaffinity(None, &set).is_ok()
}

/// Without a way to ask: one core.
#[cfg(not(target_os = "linux"))]
pub fn get() -> Vec<usize> {
    vec![0]
}

/// Without a way to pin: as the system likes.
#[cfg(not(target_os = "linux"))]
pub fn pin(_: &[usize]) -> bool {
    true
}
