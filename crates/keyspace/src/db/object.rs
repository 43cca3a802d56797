//! Collections: changing one in place, making it when it is missing, and removing it when nothing
//! is left in it.

use smallvec::SmallVec;
use table::Ref;
use value::{Kind, Value, ValueMut, ValueView};

use super::Db;
use crate::change::Class;
use crate::entry::{Entry, NewValue};
use crate::shard::Ttl;

/// The entries of several keys, `None` where there is no key.
pub type Entries<'a> = SmallVec<[Option<Ref<'a, Entry>>; 4]>;

/// The key holds a value of another type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongKind;

impl Db<'_, '_> {
    /// Changes the collection under a key, an access that is not counted as hit or miss. Without
    /// such a key the work gets what `make` makes, which is kept unless it is vacant then (with its
    /// `new` event); `None` when there is no key and no `make` either. The command's own event and
    /// the dirty count are the handler's, and after a removal it calls [`Self::drop_vacant`].
    pub fn change_object<R>(
        &mut self,
        key: &[u8],
        kind: Kind,
        make: Option<fn() -> Value>,
        work: impl FnOnce(ValueMut<'_>) -> R,
    ) -> Result<Option<R>, WrongKind> {
        let mut work = Some(work);
        let found = self.edit_part(key, |entry: &mut Entry| {
            let value = entry.object_mut().filter(|value| value.kind() == kind).ok_or(WrongKind)?;
            let work = work.take().expect("an entry is edited once");
            Ok(work(value))
        });
        match (found, make, work) {
            (Some(result), _, _) => result.map(Some),
            (None, Some(make), Some(work)) => {
                let mut value = make();
                let result = work(value.view_mut());
                if !value.view().is_vacant() {
                    self.set(key, NewValue::Object(value), Ttl::Never);
                }
                Ok(Some(result))
            }
            _ => Ok(None),
        }
    }

    /// The entries of several keys at once, each read as [`Self::read`] does.
    pub fn read_many(&mut self, keys: &[&[u8]]) -> Entries<'_> {
        let found: SmallVec<[bool; 8]> = keys.iter().map(|key| self.read(key).is_some()).collect();
        let (keyspace, held, index) = (self.keyspace, &*self.held, self.index);
        let entry = |(key, found): (&&[u8], bool)| {
            let hash = keyspace.hash(key);
            let db = held.look(keyspace.shard_of(hash)).look(index);
            if found { db?.get(hash, key) } else { None }
        };
        keys.iter().zip(found).map(entry).collect()
    }

    /// Removes a key whose collection has nothing left in it, with its `del` event; says whether
    /// it did.
    pub fn drop_vacant(&mut self, key: &[u8]) -> bool {
        let is_vacant =
            self.peek(key).is_some_and(|entry| entry.object().is_some_and(ValueView::is_vacant));
        if is_vacant {
            drop(self.take(key));
            self.note(Class::GENERIC, "del", key);
        }
        is_vacant
    }
}
