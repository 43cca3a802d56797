//! Tests of what MEMORY DOCTOR says.

use super::*;

const MIB: u64 = 1 << 20;

fn healthy() -> Picture {
    Picture {
        allocator: Figures {
            used: 1000 * MIB,
            allocated: 1000 * MIB,
            active: 1010 * MIB,
            resident: 1050 * MIB,
            muzzy: 0,
        },
        resident: 1060 * MIB,
        peak: 1000 * MIB,
        peak_ms: 0,
        startup: 10 * MIB,
        clients: MIB,
        log: 0,
        scripts: 0,
        libraries: 0,
        databases: Vec::new(),
    }
}

#[test]
fn a_healthy_picture_has_no_findings() {
    assert!(diagnosis(&healthy(), 10).starts_with("Nothing is unusual"));
    assert_eq!(healthy().dataset(), 989 * MIB);
}

#[test]
fn little_data_says_nothing() {
    let mut picture = healthy();
    picture.allocator.used = MIB;
    assert!(diagnosis(&picture, 10).starts_with("There is so little data"));
}

#[test]
fn each_finding_has_its_line() {
    type Worsen = fn(&mut Picture);
    let cases: [(Worsen, &str); 6] = [
        (|picture| picture.peak = 1600 * MIB, " * Peak:"),
        (|picture| picture.resident = 1500 * MIB, " * Fragmentation:"),
        (|picture| picture.allocator.active = 1200 * MIB, " * Allocator, inside of pages:"),
        (|picture| picture.allocator.resident = 1200 * MIB, " * Allocator, whole pages:"),
        (|picture| picture.resident = 1300 * MIB, " * Outside of the allocator:"),
        (|picture| picture.clients = 10 * MIB, " * Clients:"),
    ];
    for (worsen, line) in cases {
        let mut picture = healthy();
        worsen(&mut picture);
        let text = diagnosis(&picture, 10);
        assert!(text.contains(line), "{line}\n{text}");
    }
}
