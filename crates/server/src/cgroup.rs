//! The limit that a control group sets to the memory of this process, on Linux.
//!
//! Both kinds of groups are known: in the second kind each directory above the process's own may
//! have a limit as well, and the least one counts.

use std::fs;

/// The first kind says by a number near the largest that there is no limit.
const NONE_FROM: u64 = 1 << 60;

/// Bytes that the process may use; `None` without a limit.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    least(&groups, |path| fs::read_to_string(path).ok())
}

/// The least limit of the groups that the lines name, where `read` reads a file.
fn least(groups: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let limit = |path: &str| {
        let limit: u64 = read(path)?.trim().parse().ok()?;
        (limit < NONE_FROM).then_some(limit)
    };
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        if controllers.is_empty() {
            limits.extend(
                upwards(group)
                    .filter_map(|group| limit(&format!("/sys/fs/cgroup{group}/memory.max"))),
            );
        } else if controllers.split(',').any(|controller| controller == "memory") {
            limits.extend(upwards(group).filter_map(|group| {
                limit(&format!("/sys/fs/cgroup/memory{group}/memory.limit_in_bytes"))
            }));
        }
    }
    limits.into_iter().min()
}

/// A group and those above it; the root, which may be a container's own, is the empty one.
fn upwards(group: &str) -> impl Iterator<Item = &str> {
    let group = group.trim_end_matches('/');
    std::iter::successors(Some(group), |group| group.rfind('/').map(|at| &group[..at]))
}

#[cfg(test)]
mod tests;
