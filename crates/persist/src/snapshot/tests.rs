//! Sheets: pieces that belong together are marked so, and no piece is larger than it may be.

use std::sync::{Arc, Mutex};

use super::{PIECE, Sheet};
use crate::rdb::Out;

/// Pieces, and whether each was whole.
pub(crate) type Handed = Arc<Mutex<Vec<(Vec<u8>, bool)>>>;

/// A sheet whose pieces are kept.
pub(crate) fn sheet() -> (Sheet, Handed) {
    let handed = Handed::default();
    let to = Arc::clone(&handed);
    let hand_over = move |piece, whole| {
        to.lock().expect("one thread").push((piece, whole));
        Vec::new()
    };
    (Sheet::new(Box::new(hand_over)), handed)
}

/// What all pieces say.
pub(crate) fn bytes(handed: &[(Vec<u8>, bool)]) -> Vec<u8> {
    handed.iter().flat_map(|(piece, _)| piece.clone()).collect()
}

#[test]
fn a_large_part_leaves_in_pieces_that_belong_together() {
    let (mut sheet, handed) = sheet();
    sheet.put(b"small");
    assert!(!sheet.end_part(), "a small part waits for company");
    let large: Vec<u8> = (0..PIECE * 2 + 1000).map(|at| at as u8).collect();
    sheet.put(&large);
    assert!(sheet.end_part());
    sheet.put(b"last");
    sheet.hand_over_all();
    sheet.hand_over_all();
    let handed = handed.lock().expect("one thread");
    let wholes: Vec<bool> = handed.iter().map(|(_, whole)| *whole).collect();
    assert_eq!(wholes, [false, false, false, true, true]);
    assert!(handed.iter().all(|(piece, _)| piece.len() <= PIECE));
    assert_eq!(bytes(&handed), [b"small", &large[..], b"last"].concat());
}
