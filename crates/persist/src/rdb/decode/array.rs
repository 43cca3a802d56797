//! Arrays.

use value::array::{Array, INDEX_MAX};

use super::Decoder;
use crate::rdb::Error;
use crate::rdb::code::element;
use crate::rdb::source::Source;

impl<S: Source> Decoder<'_, S> {
    /// An array; none without elements.
    pub(super) fn array_value(&mut self) -> Result<Option<Array>, Error> {
        let count = self.length()?;
        let mut array = Array::new();
        match self.length()? {
            0 => {}
            1 => {
                let index = self.index()?;
                array.set_last_insert(Some(index));
            }
            _ => return self.corrupt("array with an unknown mark"),
        }
        for _ in 0..count {
            let index = self.index()?;
            let is_new = match self.length()? {
                element::LONG | element::SHORT => array.set(index, self.string()?),
                element::INT => {
                    let number = i64::from_le_bytes(self.array()?);
                    array.set(index, self.number.of(number))
                }
                element::FLOAT => {
                    let number = f64::from_le_bytes(self.array()?);
                    array.set(index, float_text(number).as_bytes())
                }
                _ => return self.corrupt("array with an unknown element"),
            };
            if !is_new {
                return self.corrupt("array with an element twice");
            }
        }
        Ok((count > 0).then_some(array))
    }

    fn index(&mut self) -> Result<u64, Error> {
        match self.length()? {
            index @ 0..=INDEX_MAX => Ok(index),
            _ => self.corrupt("array with an index too large"),
        }
    }
}

/// The text that was made a number: it had a point.
fn float_text(number: f64) -> String {
    let mut text = Vec::new();
    resp::number::write_double(&mut text, number);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if number.is_finite() && !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}
