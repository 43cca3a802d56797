//! LZF: any stream decodes or fails cleanly, and what is compressed comes back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use value::compact::lzf::{Compressor, decompress};

fuzz_target!(|input: &[u8]| {
    let [low, high, input @ ..] = input else { return };
    let announced = usize::from(u16::from_le_bytes([*low, *high]));
    let mut out = b"before".to_vec();
    match decompress(input, announced, &mut out) {
        Ok(()) => assert_eq!(out.len(), 6 + announced),
        Err(corrupt) => assert!(corrupt.offset <= input.len() && out == b"before"),
    }

    let mut compressor = Compressor::new();
    for piece in input.chunks(1 + announced) {
        let mut stream = Vec::new();
        let len = compressor.compress(piece, usize::MAX, &mut stream).expect("no limit");
        assert_eq!(stream.len(), len);
        let mut back = Vec::new();
        assert_eq!(decompress(&stream, piece.len(), &mut back), Ok(()));
        assert_eq!(back, piece);
        assert_eq!(compressor.compress(piece, len - 1, &mut back), None);
        assert_eq!(back, piece);
    }
});
