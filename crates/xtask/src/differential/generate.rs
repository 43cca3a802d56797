//! Commands from the tables: valid ones, and ones spoiled in a way that a user could.
//!
//! A seed gives the same commands everywhere, as long as the tables and the filter stay the same.

use fastrand::Rng;

use super::compare::Rule;
use super::exceptions;
use super::grammar::{Node, Sequence, parse};
use super::rows::{GROUPS, Row, TRANSACTIONS};
use super::words::Words;

/// Of a hundred commands this many are spoiled.
const SPOILED_PERCENT: u8 = 7;

/// Of a hundred commands this many belong to the group that the epoch is about.
const FOCUS_PERCENT: u8 = 75;

/// Commands that are never generated again after this many attempts are a mistake in the tables.
const ATTEMPTS_MAX: usize = 10_000;

/// A command and its arguments.
pub(super) type Argv = Vec<Vec<u8>>;

/// A generated command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Generated {
    pub(super) argv: Argv,
    /// Index in the generator's list of rows.
    pub(super) row: usize,
}

/// A row with its form read.
pub(super) struct Entry {
    pub(super) row: Row,
    /// Index in [`GROUPS`].
    pub(super) group: usize,
    form: Sequence,
}

/// See the module's text.
pub(super) struct Generator {
    words: Words,
    entries: Vec<Entry>,
    /// Of every group that takes part, its rows, each as often as its weight says.
    lots: Vec<Vec<usize>>,
    focus: usize,
}

impl Generator {
    /// A source for these groups, by index; all when the list is empty.
    pub(super) fn new(seed: u64, groups: &[usize]) -> Generator {
        let mut entries = Vec::new();
        for (group, description) in GROUPS.iter().enumerate() {
            if groups.is_empty() || groups.contains(&group) {
                let read = |row: &Row| Entry { row: *row, group, form: parse(row.form) };
                entries.extend(description.rows.iter().map(read));
            }
        }
        let mut generator = Generator {
            words: Words::new(Rng::with_seed(seed)),
            entries,
            lots: Vec::new(),
            focus: 0,
        };
        generator.draw_lots();
        generator
    }

    pub(super) fn entry(&self, row: usize) -> &Entry {
        &self.entries[row]
    }

    /// Every row that takes part.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Keeps the rows that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(&Row) -> bool) {
        self.entries.retain(|entry| wanted(&entry.row));
        self.draw_lots();
    }

    /// Settings for the next epoch, and the group that most of its commands belong to.
    pub(super) fn begin_epoch(&mut self) -> Vec<Argv> {
        self.focus = self.words.rng.usize(0..self.lots.len());
        let mut settings = Vec::new();
        for setting in SETTINGS {
            let value = setting.1[self.words.rng.usize(0..setting.1.len())];
            settings.push(words(&["CONFIG", "SET", setting.0, value]));
        }
        settings
    }

    /// The next command.
    ///
    /// # Panics
    /// When the tables yield nothing but commands that are left out.
    pub(super) fn next_command(&mut self) -> Generated {
        for _ in 0..ATTEMPTS_MAX {
            let lots = self.group_of_next();
            let lot = &self.lots[lots];
            let row = lot[self.words.rng.usize(0..lot.len())];
            let mut argv = self.spell(row);
            if self.words.chance(SPOILED_PERCENT) {
                self.spoil(&mut argv);
            }
            if !exceptions::is_left_out(&argv) && !self.is_out_of_place(row) {
                return Generated { argv, row };
            }
        }
        panic!("every command of the tables is left out");
    }

    fn group_of_next(&mut self) -> usize {
        let is_focus = self.words.chance(FOCUS_PERCENT);
        let others: Vec<usize> =
            (0..self.lots.len()).filter(|lots| !self.is_transactions(*lots)).collect();
        if is_focus || others.is_empty() {
            return self.focus;
        }
        others[self.words.rng.usize(0..others.len())]
    }

    fn is_transactions(&self, lots: usize) -> bool {
        GROUPS[self.entries[self.lots[lots][0]].group].name == TRANSACTIONS
    }

    /// Whether the reply is a choice, and could stand within that of EXEC.
    fn is_out_of_place(&self, row: usize) -> bool {
        self.is_transactions(self.focus) && {
            let row = &self.entries[row].row;
            row.rule == Rule::Shape || row.form.contains("RANDMEMBER")
        }
    }

    fn draw_lots(&mut self) {
        self.lots = GROUPS.iter().map(|_| Vec::new()).collect();
        for (index, entry) in self.entries.iter().enumerate() {
            let times = entry.row.weight as usize;
            self.lots[entry.group].extend(std::iter::repeat_n(index, times));
        }
        self.lots.retain(|lot| !lot.is_empty());
    }

    fn spell(&mut self, row: usize) -> Argv {
        let mut argv = Vec::new();
        let entries = std::mem::take(&mut self.entries);
        let mut speller = Speller { words: &mut self.words, entries: &entries, count: 1 };
        speller.sequence(&entries[row].form, &mut argv);
        self.entries = entries;
        argv
    }

    /// Changes the arguments, never the command's name alone: another command would come out.
    fn spoil(&mut self, argv: &mut Argv) {
        let from = argv.len().min(1);
        let at = self.words.rng.usize(from..=argv.len().max(from));
        let junk =
            |words: &mut Words| super::words::kind("junk").map_or_else(Vec::new, |k| k(words));
        match self.words.rng.u8(0..6) {
            0 if at < argv.len() => {
                argv.remove(at);
            }
            1 => argv.truncate(at),
            2 => argv.insert(at, junk(&mut self.words)),
            3 if at < argv.len() => argv[at] = junk(&mut self.words),
            4 if at < argv.len() => argv.insert(at, argv[at].clone()),
            5 if at + 1 < argv.len() => argv.swap(at, at + 1),
            _ => argv.push(junk(&mut self.words)),
        }
    }
}

/// Writes one command; `count` is what the last `#` said.
struct Speller<'a> {
    words: &'a mut Words,
    entries: &'a [Entry],
    count: usize,
}

impl Speller<'_> {
    fn sequence(&mut self, sequence: &[Node], argv: &mut Argv) {
        let shuffled = self.words.chance(20).then(|| self.shuffled(sequence));
        match shuffled {
            Some(order) => order.iter().for_each(|&node| self.node(node, argv)),
            None => sequence.iter().for_each(|node| self.node(node, argv)),
        }
    }

    /// The sequence with each run of options in another order.
    fn shuffled<'n>(&mut self, sequence: &'n [Node]) -> Vec<&'n Node> {
        let mut order: Vec<&Node> = sequence.iter().collect();
        let both = |a: &&Node, b: &&Node| is_option(a) && is_option(b);
        for run in order.chunk_by_mut(both) {
            if is_option(run[0]) {
                self.words.rng.shuffle(run);
            }
        }
        order
    }

    fn node(&mut self, node: &Node, argv: &mut Argv) {
        match node {
            Node::Word(word) => {
                let lower = self.words.chance(5);
                argv.push(
                    if lower { word.to_ascii_lowercase() } else { (*word).to_owned() }.into(),
                );
            }
            Node::Kind(kind) => argv.push(kind(self.words)),
            Node::Choice(alternatives) => self.one_of(alternatives, argv),
            Node::Optional(alternatives) => {
                if self.words.chance(35) {
                    self.one_of(alternatives, argv);
                }
            }
            Node::Repeat(sequence) => {
                for _ in 0..self.times() {
                    self.sequence(sequence, argv);
                }
            }
            Node::Counted(sequence) => {
                self.count = self.times();
                argv.push(self.count.to_string().into_bytes());
                (0..self.count).for_each(|_| self.sequence(sequence, argv));
            }
            Node::Same(sequence) => (0..self.count).for_each(|_| self.sequence(sequence, argv)),
            Node::Command => {
                let entries = self.entries;
                let entry = &entries[self.words.rng.usize(0..entries.len())];
                if !entry.row.form.contains('@') {
                    self.sequence(&entry.form, argv);
                }
            }
        }
    }

    fn one_of(&mut self, alternatives: &[Sequence], argv: &mut Argv) {
        let chosen = self.words.rng.usize(0..alternatives.len());
        self.sequence(&alternatives[chosen], argv);
    }

    /// One most of the time, now and then so many that a small form does not hold them.
    fn times(&mut self) -> usize {
        match self.words.rng.u8(0..40) {
            0..20 => 1,
            20..30 => 2,
            30..39 => self.words.rng.usize(3..6),
            _ => self.words.rng.usize(6..40),
        }
    }
}

/// What each epoch sets anew; the first value is the one that a shrunk replay starts from.
pub(super) const SETTINGS: &[(&str, &[&str])] = &[
    ("hash-max-listpack-entries", &["512", "128", "16", "4"]),
    ("hash-max-listpack-value", &["64", "8"]),
    ("set-max-intset-entries", &["512", "16", "4"]),
    ("set-max-listpack-entries", &["128", "16", "4"]),
    ("set-max-listpack-value", &["64", "8"]),
    ("zset-max-listpack-entries", &["128", "16", "4"]),
    ("zset-max-listpack-value", &["64", "8"]),
    ("list-max-listpack-size", &["-2", "-1", "1", "4", "32"]),
    ("list-compress-depth", &["0", "0", "1"]),
    ("hll-sparse-max-bytes", &["3000", "100", "0"]),
    ("stream-node-max-entries", &["100", "4", "1", "0"]),
    ("stream-node-max-bytes", &["4096", "100", "0"]),
];

/// A command of plain words.
pub(super) fn words(words: &[&str]) -> Argv {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn is_option(node: &Node) -> bool {
    matches!(node, Node::Optional(_))
}

#[cfg(test)]
mod tests;
