//! The digits of a double: Grisu2, after Florian Loitsch, "Printing Floating-Point Numbers Quickly
//! and Accurately with Integers" (PLDI 2010).
//!
//! Redis and Valkey print by this algorithm, and its rare choices of a digit too many are visible
//! in replies and files. So the choice of the power of ten and every rounding below are part of
//! the format; an algorithm that is always shortest would differ in about one of a thousand.

/// A floating point number of 64 bits precision: `bits * 2^exponent`.
#[derive(Clone, Copy)]
struct Wide {
    bits: u64,
    exponent: i32,
}

impl Wide {
    /// Shifts the highest bit that is set to the top.
    fn normalized(self) -> Wide {
        let shift = self.bits.leading_zeros();
        Wide { bits: self.bits << shift, exponent: self.exponent - shift.cast_signed() }
    }

    /// The upper half of the product, rounded to nearest.
    fn times(self, other: Wide) -> Wide {
        let product = u128::from(self.bits) * u128::from(other.bits) + (1 << 63);
        #[allow(clippy::cast_possible_truncation)]
        let bits = (product >> 64) as u64;
        Wide { bits, exponent: self.exponent + other.exponent + 64 }
    }
}

/// Decimal digits of a positive finite double, how many there are, and the power of ten that
/// they are to be multiplied with as a whole number.
pub(super) fn digits(value: f64) -> ([u8; 20], usize, i32) {
    const HIDDEN: u64 = 1 << 52;
    let fraction = value.to_bits() & (HIDDEN - 1);
    let biased = i32::try_from(value.to_bits() >> 52 & 0x7FF).unwrap_or(0);
    let exact = match biased {
        0 => Wide { bits: fraction, exponent: -1074 },
        _ => Wide { bits: fraction | HIDDEN, exponent: biased - 1075 },
    };
    // Halfway to the neighbours; the lower one is nearer where the exponent changes.
    let upper = Wide { bits: exact.bits * 2 + 1, exponent: exact.exponent - 1 }.normalized();
    let nearer = if exact.bits == HIDDEN { 2 } else { 1 };
    let lower = (exact.bits << nearer) - 1;
    let shift = exact.exponent - nearer - upper.exponent;
    let lower = Wide { bits: lower << shift, exponent: upper.exponent };

    let (power, decimal) = power_for(upper.exponent);
    let exact = exact.normalized().times(power);
    let upper = upper.times(power);
    let lower = lower.times(power);
    // The products may be off by one in the last place: stay inside on both sides.
    let upper = Wide { bits: upper.bits - 1, ..upper };
    let mut found = Digits { text: [0; 20], len: 0 };
    let exponent = generate(&mut found, upper, upper.bits - exact.bits, lower.bits + 1);
    (found.text, found.len, exponent - decimal)
}

struct Digits {
    text: [u8; 20],
    len: usize,
}

impl Digits {
    /// Appends a digit unless it is a leading zero.
    #[allow(clippy::cast_possible_truncation)]
    fn push(&mut self, digit: u64) {
        if digit != 0 || self.len != 0 {
            self.text[self.len] = b'0' + digit as u8;
            self.len += 1;
        }
    }

    /// Lowers the last digit as long as that brings the number nearer to the exact one without
    /// leaving the interval. `rest` is the distance of the digits so far from the upper bound,
    /// `exact` that of the exact number, `unit` the weight of the last digit.
    fn round(&mut self, interval: u64, mut rest: u64, unit: u64, exact: u64) {
        while rest < exact
            && interval - rest >= unit
            && (rest + unit < exact || exact - rest > rest + unit - exact)
        {
            self.text[self.len - 1] -= 1;
            rest += unit;
        }
    }
}

/// Produces digits of `upper` until the rest falls inside the interval down to `lower`; returns
/// the power of ten of the last digit. `exact` is the distance of the exact number from `upper`.
fn generate(out: &mut Digits, upper: Wide, exact: u64, lower: u64) -> i32 {
    let mut interval = upper.bits - lower;
    let point = upper.exponent.unsigned_abs();
    let mut whole = upper.bits >> point;
    let mut fraction = upper.bits & ((1 << point) - 1);
    for kappa in (0..10).rev() {
        let weight = 10u64.pow(kappa);
        out.push(whole / weight);
        whole %= weight;
        let rest = (whole << point) + fraction;
        if rest <= interval {
            out.round(interval, rest, weight << point, exact);
            return kappa.cast_signed();
        }
    }
    let mut kappa = 0;
    let mut unit: u64 = 1;
    loop {
        fraction *= 10;
        interval = interval.wrapping_mul(10);
        unit = unit.wrapping_mul(10);
        kappa -= 1;
        out.push(fraction >> point);
        fraction &= (1 << point) - 1;
        if fraction < interval {
            out.round(interval, fraction, 1 << point, exact.wrapping_mul(unit));
            return kappa;
        }
    }
}

/// A power of ten whose product with a number of this exponent has an exponent from -60 to -32,
/// and which power that is.
fn power_for(exponent: i32) -> (Wide, i32) {
    const LOG10_2: f64 = std::f64::consts::LOG10_2;
    #[allow(clippy::cast_possible_truncation)]
    let estimate = (f64::from(-(exponent + POWERS_COUNT)) * LOG10_2) as i32;
    let mut index = (estimate - POWERS_FIRST) / POWERS_STEP;
    loop {
        let decimal = POWERS_FIRST + index * POWERS_STEP;
        // floor(decimal * log2(10)) - 63, exact in this range.
        let power_exponent = ((decimal * 217_706) >> 16) - 63;
        match exponent + power_exponent + 64 {
            ..-60 => index += 1,
            -60..=-32 => {
                let bits = POWERS[index.unsigned_abs() as usize];
                return (Wide { bits, exponent: power_exponent }, decimal);
            }
            _ => index -= 1,
        }
    }
}

const POWERS_FIRST: i32 = -348;
const POWERS_STEP: i32 = 8;
const POWERS_COUNT: i32 = 87;

/// The leading 64 bits, rounded to nearest, of 10^-348, 10^-340, up to 10^340.
#[rustfmt::skip]
const POWERS: [u64; POWERS_COUNT as usize] = [
    0xFA8F_D5A0_081C_0288, 0xBAAE_E17F_A23E_BF76, 0x8B16_FB20_3055_AC76, 0xCF42_894A_5DCE_35EA,
    0x9A6B_B0AA_5565_3B2D, 0xE61A_CF03_3D1A_45DF, 0xAB70_FE17_C79A_C6CA, 0xFF77_B1FC_BEBC_DC4F,
    0xBE56_91EF_416B_D60C, 0x8DD0_1FAD_907F_FC3C, 0xD351_5C28_3155_9A83, 0x9D71_AC8F_ADA6_C9B5,
    0xEA9C_2277_23EE_8BCB, 0xAECC_4991_4078_536D, 0x823C_1279_5DB6_CE57, 0xC210_9436_4DFB_5637,
    0x9096_EA6F_3848_984F, 0xD774_85CB_2582_3AC7, 0xA086_CFCD_97BF_97F4, 0xEF34_0A98_172A_ACE5,
    0xB238_67FB_2A35_B28E, 0x84C8_D4DF_D2C6_3F3B, 0xC5DD_4427_1AD3_CDBA, 0x936B_9FCE_BB25_C996,
    0xDBAC_6C24_7D62_A584, 0xA3AB_6658_0D5F_DAF6, 0xF3E2_F893_DEC3_F126, 0xB5B5_ADA8_AAFF_80B8,
    0x8762_5F05_6C7C_4A8B, 0xC9BC_FF60_34C1_3053, 0x964E_858C_91BA_2655, 0xDFF9_7724_7029_7EBD,
    0xA6DF_BD9F_B8E5_B88F, 0xF8A9_5FCF_8874_7D94, 0xB944_7093_8FA8_9BCF, 0x8A08_F0F8_BF0F_156B,
    0xCDB0_2555_6531_31B6, 0x993F_E2C6_D07B_7FAC, 0xE45C_10C4_2A2B_3B06, 0xAA24_2499_6973_92D3,
    0xFD87_B5F2_8300_CA0E, 0xBCE5_0864_9211_1AEB, 0x8CBC_CC09_6F50_88CC, 0xD1B7_1758_E219_652C,
    0x9C40_0000_0000_0000, 0xE8D4_A510_0000_0000, 0xAD78_EBC5_AC62_0000, 0x813F_3978_F894_0984,
    0xC097_CE7B_C907_15B3, 0x8F7E_32CE_7BEA_5C70, 0xD5D2_38A4_ABE9_8068, 0x9F4F_2726_179A_2245,
    0xED63_A231_D4C4_FB27, 0xB0DE_6538_8CC8_ADA8, 0x83C7_088E_1AAB_65DB, 0xC45D_1DF9_4271_1D9A,
    0x924D_692C_A61B_E758, 0xDA01_EE64_1A70_8DEA, 0xA26D_A399_9AEF_774A, 0xF209_787B_B47D_6B85,
    0xB454_E4A1_79DD_1877, 0x865B_8692_5B9B_C5C2, 0xC835_53C5_C896_5D3D, 0x952A_B45C_FA97_A0B3,
    0xDE46_9FBD_99A0_5FE3, 0xA59B_C234_DB39_8C25, 0xF6C6_9A72_A398_9F5C, 0xB7DC_BF53_54E9_BECE,
    0x88FC_F317_F222_41E2, 0xCC20_CE9B_D35C_78A5, 0x9816_5AF3_7B21_53DF, 0xE2A0_B5DC_971F_303A,
    0xA8D9_D153_5CE3_B396, 0xFB9B_7CD9_A4A7_443C, 0xBB76_4C4C_A7A4_4410, 0x8BAB_8EEF_B640_9C1A,
    0xD01F_EF10_A657_842C, 0x9B10_A4E5_E991_3129, 0xE710_9BFB_A19C_0C9D, 0xAC28_20D9_623B_F429,
    0x8044_4B5E_7AA7_CF85, 0xBF21_E440_03AC_DD2D, 0x8E67_9C2F_5E44_FF8F, 0xD433_179D_9C8C_B841,
    0x9E19_DB92_B4E3_1BA9, 0xEB96_BF6E_BADF_77D9, 0xAF87_023B_9BF0_EE6B,
];
