//! A model of a disk that keeps what was synced and may lose, tear or zero everything else: it is
//! fed with the journal of a server (`persist::disk::record`) and gives the folders that a crash
//! could have left.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// One entry of the journal.
#[derive(Clone, Debug)]
pub enum Step {
    Open { file: u64, len: usize, was_there: bool, path: String },
    Write { file: u64, bytes: Vec<u8> },
    Cut { file: u64, len: usize },
    Sync { file: u64 },
    Rename { from: String, to: String },
    Remove { path: String },
    Folder { path: String },
    Settle { path: String },
}

/// Reads a journal; each step with the place in the journal where it ends.
pub fn steps(journal: &[u8]) -> Vec<(usize, Step)> {
    let mut steps = Vec::new();
    let mut at = 0;
    while let Some(len) = journal[at..].iter().position(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&journal[at..at + len]).unwrap();
        at += len + 1;
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        let text = |at: usize| words[at].to_owned();
        let step = match words[0] {
            "open" => Step::Open {
                file: number(1),
                len: number(2) as usize,
                was_there: words[3] == "1",
                path: text(4),
            },
            "write" => {
                let bytes = journal[at..at + number(2) as usize].to_vec();
                at += bytes.len();
                Step::Write { file: number(1), bytes }
            }
            "cut" => Step::Cut { file: number(1), len: number(2) as usize },
            "sync" => Step::Sync { file: number(1) },
            "rename" => Step::Rename { from: text(1), to: text(2) },
            "remove" => Step::Remove { path: text(1) },
            "folder" => Step::Folder { path: text(1) },
            "settle" => Step::Settle { path: text(1) },
            other => panic!("{other}"),
        };
        steps.push((at, step));
    }
    steps
}

/// A file, whatever it is called.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    /// What happened since: bytes behind the end, or a length.
    pending: Vec<Result<Vec<u8>, usize>>,
    len: usize,
}

/// A change of names that may not be durable yet.
#[derive(Clone)]
enum Naming {
    Link(String, usize),
    Rename(String, String),
    Remove(String),
    Folder(String),
}

impl Naming {
    fn is_in(&self, folder: &str) -> bool {
        let path = match self {
            Self::Link(path, _) | Self::Rename(path, _) => path,
            Self::Remove(path) | Self::Folder(path) => path,
        };
        Path::new(path).parent() == Some(Path::new(folder))
    }
}

/// The disk.
#[derive(Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    by_number: HashMap<u64, usize>,
    /// The names that are there now, and those that are durable.
    names: BTreeMap<String, Option<usize>>,
    durable: BTreeMap<String, Option<usize>>,
    pending: Vec<Naming>,
}

fn apply(names: &mut BTreeMap<String, Option<usize>>, naming: &Naming) {
    match naming {
        Naming::Link(path, file) => {
            names.insert(path.clone(), Some(*file));
        }
        Naming::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Naming::Remove(path) => {
            names.remove(path);
        }
        Naming::Folder(path) => {
            names.insert(path.clone(), None);
        }
    }
}

impl Disk {
    fn name(&mut self, naming: Naming) {
        apply(&mut self.names, &naming);
        self.pending.push(naming);
    }

    /// Does what the journal says was done.
    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Open { file, len, was_there, path } => {
                if let (true, Some(Some(index))) = (was_there, self.names.get(path)) {
                    let index = *index;
                    self.by_number.insert(*file, index);
                    if *len < self.files[index].len {
                        self.files[index].pending.push(Err(*len));
                        self.files[index].len = *len;
                    }
                } else {
                    self.files.push(File::default());
                    self.by_number.insert(*file, self.files.len() - 1);
                    self.name(Naming::Link(path.clone(), self.files.len() - 1));
                }
            }
            Step::Write { file, bytes } => {
                let file = self.file(*file);
                file.len += bytes.len();
                file.pending.push(Ok(bytes.clone()));
            }
            Step::Cut { file, len } => {
                let file = self.file(*file);
                file.len = *len;
                file.pending.push(Err(*len));
            }
            Step::Sync { file } => {
                let file = self.file(*file);
                file.durable = file.now();
                file.pending.clear();
            }
            Step::Rename { from, to } => self.name(Naming::Rename(from.clone(), to.clone())),
            Step::Remove { path } => self.name(Naming::Remove(path.clone())),
            Step::Folder { path } => self.name(Naming::Folder(path.clone())),
            Step::Settle { path } => {
                let all = std::mem::take(&mut self.pending);
                let (settled, pending) = all.into_iter().partition(|naming| naming.is_in(path));
                self.pending = pending;
                let settled: Vec<Naming> = settled;
                settled.iter().for_each(|naming| apply(&mut self.durable, naming));
            }
        }
    }

    fn file(&mut self, number: u64) -> &mut File {
        let index = self.by_number[&number];
        &mut self.files[index]
    }

    /// A folder as a crash could leave it now, without what stood in front of `from` in its paths,
    /// below `to`. Names that are not durable are kept up to a random one; so are bytes, or there
    /// are zeros in their place.
    pub fn crash(&self, from: &Path, to: &Path, rng: &mut Rng) {
        let mut names = self.durable.clone();
        let kept = match rng.u8(..3) {
            0 => 0,
            1 => self.pending.len(),
            _ => rng.usize(..=self.pending.len()),
        };
        self.pending[..kept].iter().for_each(|naming| apply(&mut names, naming));
        fs::create_dir_all(to).unwrap();
        for (path, file) in &names {
            let Ok(rest) = Path::new(path).strip_prefix(from) else { continue };
            // A file whose folder was lost is lost with it.
            let folder = Path::new(path).parent().unwrap();
            let is_there = folder == from || names.contains_key(folder.to_str().unwrap());
            let place: PathBuf = to.join(rest);
            match file {
                None => fs::create_dir_all(place).unwrap(),
                Some(file) if is_there => {
                    fs::write(place, self.files[*file].crashed(rng)).unwrap();
                }
                Some(_) => {}
            }
        }
    }
}

impl File {
    /// What whoever reads it sees.
    fn now(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            match change {
                Ok(more) => bytes.extend_from_slice(more),
                Err(len) => bytes.truncate(*len),
            }
        }
        bytes
    }

    fn crashed(&self, rng: &mut Rng) -> Vec<u8> {
        let whole = self.now();
        let grows = whole.starts_with(&self.durable);
        let from = self.durable.len();
        match rng.u8(..4) {
            0 => self.durable.clone(),
            1 => whole,
            // Torn: some of the new bytes are there.
            2 if grows => whole[..from + rng.usize(..=whole.len() - from)].to_vec(),
            // The length is there, and not all of the bytes.
            3 if grows => {
                let mut bytes = whole;
                let zeros = from + rng.usize(..=bytes.len() - from);
                bytes[zeros..].fill(0);
                bytes
            }
            _ => self.durable.clone(),
        }
    }
}
