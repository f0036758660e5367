//! The server's record of files held against what was read here.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::archive::{FaultyEntry, FileSum, SentFile, hex};
use crate::schema::model::{ModelFile, RecordedFile, StoredFile};
use crate::warehouse::FileSink;

/// How the server names the files of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// One file; whatever name the server gave it.
    Single,
    /// By their paths in the archive.
    Paths,
    /// By their base names: `preserve_structure=false`.
    BaseNames,
}

impl Naming {
    /// The name under which a file is looked for.
    fn here(self, file: &SentFile) -> &str {
        match self {
            Self::Single => "",
            Self::Paths => &file.name,
            Self::BaseNames => file.name.rsplit('/').next().unwrap_or(&file.name),
        }
    }

    /// The name under which a record has a file.
    fn there(self, file: &impl RecordedFile) -> &str {
        match self {
            Self::Single => "",
            Self::Paths => file.path(),
            Self::BaseNames => file.base_name(),
        }
    }
}

/// Something that is not the same on both sides, or was not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The record lacks a file.
    Missing {
        name: String,
    },
    /// The record has a file that is not here.
    Unknown {
        name: String,
    },
    /// The record has several files in one place of the store: the last one overwrote the others, and
    /// the record cannot say which of them can be downloaded.
    Overwritten {
        name: String,
    },
    /// Its content cannot be read here, so it may be another one. Never counted as the same.
    NotCompared {
        name: String,
        reason: String,
    },
    Size {
        name: String,
        here: u64,
        there: u64,
    },
    Sum {
        name: String,
        here: String,
        there: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "{name} is not there"),
            Self::Unknown { name } => write!(f, "{name} is there and not here"),
            Self::Overwritten { name } => {
                write!(
                    f,
                    "{name} is recorded more than once in one place: only one of them is there"
                )
            }
            Self::NotCompared { name, reason } => {
                write!(f, "{name} was not compared, for it cannot be unpacked here: {reason}")
            }
            Self::Size { name, here, there } => {
                write!(f, "{name} has {there} bytes there and {here} here")
            }
            Self::Sum { name, here, there } => {
                write!(f, "{name} has MD5 {there} there and {here} here")
            }
        }
    }
}

impl From<FaultyEntry> for Difference {
    fn from(FaultyEntry { name, fault }: FaultyEntry) -> Self {
        Self::NotCompared { name, reason: format!("it {fault}") }
    }
}

impl Difference {
    /// Whether nothing is known to differ, and nothing to be the same.
    #[must_use]
    pub fn is_not_compared(&self) -> bool {
        matches!(self, Self::NotCompared { .. })
    }
}

/// Paths of files with the other path that a server may have made of each.
pub type Aliases = HashMap<Arc<str>, Arc<str>>;

/// Gives files the other of their paths where a record has that one alone.
pub fn adopt_aliases<F: RecordedFile>(
    here: &mut [SentFile],
    there: &[F],
    naming: Naming,
    aliases: &Aliases,
) {
    if aliases.is_empty() {
        return;
    }
    let known: HashSet<&str> = there.iter().map(|file| naming.there(file)).collect();
    for file in here {
        let Some(alias) = aliases.get(&file.name) else { continue };
        let other = SentFile { name: Arc::clone(alias), ..file.clone() };
        if !known.contains(naming.here(file)) && known.contains(naming.here(&other)) {
            *file = other;
        }
    }
}

/// Files that were sent, held one by one against those of a record that comes, so that the record
/// need not be kept: in all but the rare case each of its files is at once the same as one of these.
#[derive(Debug)]
pub struct Matching {
    here: Vec<SentFile>,
    naming: Naming,
    /// Places in `here`, in the order of their names.
    order: Vec<u32>,
    is_met: Vec<bool>,
    /// Files of the record that are the same as none here.
    left: Vec<StoredFile>,
    /// Hashes of the places that files of the record have in the store. `None` unless several files
    /// here have one name: else the second file of a place is the same as none here.
    places: Option<HashSet<u64>>,
    overwritten: Vec<Difference>,
    aliases: Aliases,
}

impl Matching {
    #[must_use]
    pub fn new(here: Vec<SentFile>, naming: Naming) -> Self {
        let mut order: Vec<u32> = (0..).take(here.len()).collect();
        let name = |place: u32| naming.here(&here[place as usize]);
        order.sort_unstable_by(|a, b| name(*a).cmp(name(*b)));
        let are_equal = |pair: &[u32]| name(pair[0]) == name(pair[1]);
        let shares_names = naming == Naming::BaseNames && order.windows(2).any(are_equal);
        Self {
            is_met: vec![false; here.len()],
            here,
            naming,
            order,
            left: Vec::new(),
            places: shares_names.then(HashSet::new),
            overwritten: Vec::new(),
            aliases: Aliases::new(),
        }
    }

    /// The same for files that the server may have stored under other paths.
    #[must_use]
    pub fn with_aliases(self, aliases: Aliases) -> Self {
        Self { aliases, ..self }
    }

    /// The files that were sent, and what differs from the record of which all files have come.
    #[must_use]
    pub fn conclude(self) -> (Vec<SentFile>, Vec<Difference>) {
        let unmet = self.here.iter().zip(&self.is_met).filter(|(_, is_met)| !**is_met);
        let mut unmet: Vec<SentFile> = unmet.map(|(file, _)| file.clone()).collect();
        adopt_aliases(&mut unmet, &self.left, self.naming, &self.aliases);
        let mut differences = compare(&unmet, &self.left, self.naming);
        let others = self.overwritten.into_iter().filter(|one| !differences.contains(one));
        let others: Vec<Difference> = others.collect();
        differences.extend(others);
        (self.here, differences)
    }

    /// Notes a file whose place another file of the record has.
    fn note_place(&mut self, file: &ModelFile) {
        let Some(places) = &mut self.places else { return };
        let mut hasher = DefaultHasher::new();
        file.storage_key().hash(&mut hasher);
        if !places.insert(hasher.finish()) {
            self.overwritten.push(Difference::Overwritten { name: file.path().to_owned() });
        }
    }
}

impl FileSink for Matching {
    fn take(&mut self, file: ModelFile) {
        self.note_place(&file);
        let name = self.naming.there(&file);
        let first = self
            .order
            .partition_point(|place| self.naming.here(&self.here[*place as usize]) < name);
        let same = self.order[first..]
            .iter()
            .map(|place| *place as usize)
            .take_while(|place| self.naming.here(&self.here[*place]) == name)
            .find(|place| !self.is_met[*place] && difference(&self.here[*place], &file).is_none());
        match same {
            Some(place) => self.is_met[place] = true,
            None => self.left.push(StoredFile::from(&file)),
        }
    }
}

/// What differs; nothing, when every file is on both sides with its size and its sum.
///
/// Beside the two lists it needs a number for each of their files: they may be very many.
#[must_use]
pub fn compare<F: RecordedFile>(here: &[SentFile], there: &[F], naming: Naming) -> Vec<Difference> {
    let name_here = |index: &usize| naming.here(&here[*index]);
    let name_there = |index: &usize| naming.there(&there[*index]);
    let mut ours: Vec<usize> = (0..here.len()).collect();
    let mut theirs: Vec<usize> = (0..there.len()).collect();
    ours.sort_by(|a, b| name_here(a).cmp(name_here(b)));
    theirs.sort_by(|a, b| name_there(a).cmp(name_there(b)));
    let (mut differences, mut unknown) = (Vec::new(), Vec::new());
    let (mut ours, mut theirs) = (ours.as_slice(), theirs.as_slice());
    while let Some(name) = first_of(ours.first().map(name_here), theirs.first().map(name_there)) {
        let (group, rest) = ours.split_at(ours.partition_point(|index| name_here(index) <= name));
        ours = rest;
        let (stored, rest) =
            theirs.split_at(theirs.partition_point(|index| name_there(index) <= name));
        theirs = rest;
        unknown.extend(overwritten(there, stored));
        let mut stored = stored.to_vec();
        // Equal names may stand several times: those that are the same belong together.
        let is_same = |index: &usize, stored: &mut Vec<usize>| {
            let same = |place: &usize| difference(&here[*index], &there[*place]).is_none();
            let found = stored.iter().position(same);
            found.map(|found| stored.remove(found)).is_some()
        };
        let other: Vec<usize> =
            group.iter().copied().filter(|index| !is_same(index, &mut stored)).collect();
        for index in other {
            let file = &here[index];
            differences.push((
                index,
                match stored.pop() {
                    None => Difference::Missing { name: file.name.to_string() },
                    Some(place) => match difference(file, &there[place]) {
                        Some(difference) => difference,
                        None => continue,
                    },
                },
            ));
        }
        let name = |place: usize| there[place].path().to_owned();
        unknown.extend(stored.into_iter().map(|place| Difference::Unknown { name: name(place) }));
    }
    differences.sort_by_key(|(index, _)| *index);
    unknown.sort_by_key(ToString::to_string);
    differences.into_iter().map(|(_, difference)| difference).chain(unknown).collect()
}

/// Finds the files of one name that share their place in the store.
fn overwritten<F: RecordedFile>(there: &[F], group: &[usize]) -> Option<Difference> {
    let mut keys: Vec<&str> = group.iter().map(|place| there[*place].storage_key()).collect();
    keys.sort_unstable();
    let shared = keys.windows(2).any(|pair| pair[0] == pair[1]);
    let name = || there[group[0]].path().to_owned();
    shared.then(|| Difference::Overwritten { name: name() })
}

/// The lesser of two names, where both sides have one left.
fn first_of<'a>(ours: Option<&'a str>, theirs: Option<&'a str>) -> Option<&'a str> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (one, other) => one.or(other),
    }
}

fn difference(here: &SentFile, there: &impl RecordedFile) -> Option<Difference> {
    let name = || here.name.to_string();
    if here.size != there.size() {
        return Some(Difference::Size { name: name(), here: here.size, there: there.size() });
    }
    match &here.sum {
        FileSum::NotRead => None,
        FileSum::Unreadable(reason) => {
            Some(Difference::NotCompared { name: name(), reason: reason.to_string() })
        }
        FileSum::Md5(md5) => (!there.has_md5(md5)).then(|| Difference::Sum {
            name: name(),
            here: hex(md5),
            there: there.sum(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(name: &str, size: u64, byte: u8) -> SentFile {
        SentFile { name: name.into(), size, sum: FileSum::Md5([byte; 16]) }
    }

    fn there(path: &str, size: u64, byte: u8) -> ModelFile {
        ModelFile {
            filename: path.rsplit('/').next().unwrap().to_owned(),
            file_path: format!("models/u/m/v1/{path}"),
            file_size: size,
            file_type: String::new(),
            file_hash: hex(&[byte; 16]),
            content_type: None,
            is_primary: false,
            description: None,
        }
    }

    #[test]
    fn equal_sides_do_not_differ() {
        let (a, b) = ([here("d/a", 1, 1), here("b", 2, 2)], [there("b", 2, 2), there("d/a", 1, 1)]);
        assert_eq!(compare(&a, &b, Naming::Paths), []);
        assert_eq!(compare(&a[..1], &[there("renamed", 1, 1)], Naming::Single), []);
    }

    #[test]
    fn a_changed_byte_a_lost_file_and_one_too_many_are_told() {
        let differences = compare(
            &[here("a", 1, 1), here("b", 2, 2), here("c", 3, 3)],
            &[there("a", 1, 9), there("b", 9, 2), there("d", 1, 1)],
            Naming::Paths,
        );
        let words: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(words[0].starts_with("a has MD5 0909"), "{words:?}");
        assert_eq!(
            words[1..],
            ["b has 9 bytes there and 2 here", "c is not there", "d is there and not here"]
        );
    }

    #[test]
    fn equal_base_names_are_paired_by_their_sums() {
        let sent = [here("x/w", 1, 1), here("y/w", 1, 2)];
        // The record keeps the paths, and its files' own names are the base names.
        let apart = |folder: &str, byte: u8| there(&format!("{folder}/w"), 1, byte);
        assert_eq!(compare(&sent, &[apart("a", 2), apart("b", 1)], Naming::BaseNames), []);
        let lost = compare(&sent, &[apart("a", 2), apart("b", 2)], Naming::BaseNames);
        assert!(matches!(lost[..], [Difference::Sum { .. }]), "{lost:?}");
    }

    #[test]
    fn a_record_that_comes_file_by_file_is_found_the_same_or_not_as_a_whole() {
        let sent = [here("x/w", 1, 1), here("y/w", 1, 2), here("z", 3, 3), here("v", 4, 4)];
        for naming in [Naming::Paths, Naming::BaseNames] {
            for stored in [
                vec![there("z", 3, 3), there("y/w", 1, 2), there("v", 4, 4), there("x/w", 1, 1)],
                vec![there("y/w", 1, 2), there("z", 3, 9), there("u", 1, 1)],
                vec![there("x/w", 1, 1), there("x/w", 1, 1)],
                vec![there("w", 1, 1), there("w", 1, 2), there("z", 3, 3), there("v", 4, 4)],
            ] {
                let mut matching = Matching::new(sent.to_vec(), naming);
                stored.iter().for_each(|file| matching.take(file.clone()));
                let (files, differences) = matching.conclude();
                assert_eq!(files, sent);
                let is_named = |one: &Difference| matches!(one, Difference::Overwritten { .. });
                let told = |mut all: Vec<Difference>| {
                    // By paths, the second file of a place is one that is not here.
                    all.retain(|one| naming == Naming::BaseNames || !is_named(one));
                    all.sort_by_key(ToString::to_string);
                    all
                };
                let wanted = told(compare(&sent, &stored, naming));
                assert_eq!(told(differences), wanted, "{naming:?}");
            }
        }
        let mut single = Matching::new(vec![here("a", 1, 1)], Naming::Single);
        single.take(there("renamed", 1, 1));
        assert_eq!(single.conclude().1, []);
    }

    #[test]
    fn a_file_is_known_by_either_of_its_paths_and_by_no_third() {
        let aliases: Aliases = [("d/\u{e9}".into(), "d/\u{251c}\u{2310}".into())].into();
        let sent = [here("d/\u{e9}", 1, 1), here("b", 2, 2)];
        for (stored, same) in [
            ("d/\u{e9}", true),
            ("d/\u{251c}\u{2310}", true),
            ("d/e", false),
            ("\u{251c}\u{2310}", false),
        ] {
            let there = [there(stored, 1, 1), there("b", 2, 2)];
            for naming in [Naming::Paths, Naming::BaseNames] {
                let same = same || (naming == Naming::BaseNames && stored.starts_with('\u{251c}'));
                let mut adopted = sent.to_vec();
                adopt_aliases(&mut adopted, &there, naming, &aliases);
                let differences = compare(&adopted, &there, naming);
                assert_eq!(differences.is_empty(), same, "{stored} {differences:?}");
                let mut matching =
                    Matching::new(sent.to_vec(), naming).with_aliases(aliases.clone());
                there.iter().for_each(|file| matching.take(file.clone()));
                assert_eq!(matching.conclude().1.is_empty(), same, "{stored}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_the_same_and_what_was_not_read_is_compared_by_its_size() {
        let unreadable = SentFile { sum: FileSum::Unreadable("no".into()), ..here("a", 1, 1) };
        let stored = [there("a", 1, 1)];
        for naming in [Naming::Single, Naming::Paths, Naming::BaseNames] {
            let differences = compare(std::slice::from_ref(&unreadable), &stored, naming);
            assert!(differences[0].is_not_compared(), "{differences:?}");
            let mut matching = Matching::new(vec![unreadable.clone()], naming);
            matching.take(stored[0].clone());
            assert_eq!(matching.conclude().1, differences);
        }
        let listed = SentFile { sum: FileSum::NotRead, ..here("a", 1, 1) };
        assert_eq!(compare(&[listed], &stored, Naming::Paths), []);
    }

    #[test]
    fn files_of_a_record_in_one_place_are_never_the_same_though_every_sum_is() {
        let key = |name: &str, byte: u8| ModelFile {
            file_path: "models/u/m/v1/w".into(),
            ..there(name, 1, byte)
        };
        let odd = |path: &str| ModelFile { file_path: path.into(), ..there("w", 1, 1) };
        let sent = [here("x/w", 1, 1), here("y/w", 1, 2), here("z", 1, 3)];
        let stored = [key("w", 1), key("w", 2), there("z", 1, 3)];
        let lost = [Difference::Overwritten { name: "w".into() }];
        assert_eq!(compare(&sent, &stored, Naming::BaseNames), lost);
        let small: Vec<StoredFile> = stored.iter().map(StoredFile::from).collect();
        assert_eq!(compare(&sent, &small, Naming::BaseNames), lost);
        // Places of another form are told apart all the same.
        for (places, count) in [(["b/1/w", "b/2/w"], 0), (["b/1/w", "b/1/w"], 1)] {
            let stored: Vec<StoredFile> =
                places.iter().map(|path| StoredFile::from(&odd(path))).collect();
            let sent = [here("x/w", 1, 1), here("y/w", 1, 1)];
            assert_eq!(compare(&sent, &stored, Naming::BaseNames).len(), count, "{places:?}");
        }
    }
}
