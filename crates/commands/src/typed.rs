//! The collection that an entry holds, when it is of the type that a command wants.

use keyspace::{Entry, ValueMut, ValueView};
use value::{Array, Hash, List, Set, Stream, Zset};

use crate::Error;

macro_rules! accessors {
    ($($read:ident $write:ident $variant:ident $of:ty;)*) => {$(
        /// The collection of that type, for reading.
        pub(crate) fn $read(entry: &Entry) -> Result<&$of, Error> {
            match entry.object() {
                Some(ValueView::$variant(inner)) => Ok(inner),
                _ => Err(Error::WrongType),
            }
        }

        /// The collection of that type, for changing; the value's type was checked before.
        pub(crate) fn $write(value: ValueMut<'_>) -> &mut $of {
            match value {
                ValueMut::$variant(inner) => inner,
                _ => unreachable!("a value's type was checked before it is changed"),
            }
        }
    )*};
}

accessors! {
    list list_mut List List;
    set set_mut Set Set;
    zset zset_mut Zset Zset;
    hash hash_mut Hash Hash;
    stream stream_mut Stream Stream;
    array array_mut Array Array;
}
