//! Tests of what files of control groups say.

use super::*;

fn limit(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
    least(groups, |path| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
    })
}

#[test]
fn the_least_limit_on_the_way_up_counts() {
    let files = [
        ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
        ("/sys/fs/cgroup/a/memory.max", "1000\n"),
        ("/sys/fs/cgroup/memory.max", "2000\n"),
    ];
    assert_eq!(limit("0::/a/b\n", &files), Some(1000));
    assert_eq!(limit("0::/\n", &files), Some(2000));
    assert_eq!(limit("0::/other\n", &files), Some(2000));
    assert_eq!(limit("0::/a/b\n", &files[..1]), None);
}

#[test]
fn the_first_kind_has_a_group_for_memory() {
    let files = [
        ("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "4096\n"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ];
    let groups = "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n";
    assert_eq!(limit(groups, &files), Some(4096));
    assert_eq!(limit("4:memory:/\n", &files), None);
    assert_eq!(limit("5:cpu:/docker/x\n", &files), None);
    assert_eq!(limit("nonsense\n:\n", &files), None);
}
