//! The checksum of files and payloads: CRC-64 with the polynomial of Jones, bits reflected.
//!
//! Sixteen bytes at a time with as many tables ("slicing", after Kounavis and Berry).

const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9u64.reverse_bits();
const SLICES: usize = 16;

static TABLES: [[u64; 256]; SLICES] = tables();

const fn tables() -> [[u64; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        byte = 0;
        while byte < 256 {
            let before = tables[slice - 1][byte];
            tables[slice][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// A checksum as it grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Crc64(u64);

impl Crc64 {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<SLICES>();
        for chunk in chunks {
            let word = u128::from_le_bytes(*chunk) ^ u128::from(self.0);
            let bytes = word.to_le_bytes();
            self.0 = bytes
                .iter()
                .enumerate()
                .fold(0, |crc, (at, byte)| crc ^ TABLES[SLICES - 1 - at][usize::from(*byte)]);
        }
        for byte in rest {
            self.0 = self.0 >> 8 ^ TABLES[0][usize::from(self.0 as u8 ^ byte)];
        }
    }

    /// The checksum of all that was added.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The checksum of some bytes.
pub fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::default();
    crc.add(bytes);
    crc.get()
}
