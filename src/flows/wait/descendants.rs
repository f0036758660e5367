//! Processes that a command started, by what Linux tells of each process: its children, theirs, and
//! those whose parents have ended.

use rustix::process::{Pid, getpgrp, getpid, set_child_subreaper};

/// A process that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessFacts {
    pid: i32,
    /// When it began, in the system's ticks: with its number it is one process for ever.
    born: u64,
    parent: i32,
    group: i32,
    session: i32,
}

impl ProcessFacts {
    /// Parses `PID (NAME) STATE PARENT GROUP SESSION …`; a name may hold anything. `None` for a
    /// process that has ended and is not waited for.
    fn parse(stat: &str) -> Option<Self> {
        let (pid, rest) = stat.split_once(' ')?;
        let mut fields = rest.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        let (parent, group, session) = (number()?, number()?, number()?);
        // The 22nd field of all, of which six are taken.
        let born = fields.nth(15)?.parse().ok()?;
        let facts = Self { pid: pid.parse().ok()?, born, parent, group, session };
        (!matches!(state, "Z" | "X")).then_some(facts)
    }
}

impl ProcessFacts {
    /// The facts of this process; `None` where the system does not tell.
    fn own() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
    }

    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.pid)
    }
}

/// All processes of a moment.
#[derive(Debug)]
pub(super) struct Processes(Vec<ProcessFacts>);

impl Processes {
    /// Reads them; `None` where the system does not tell.
    pub fn read() -> Option<Self> {
        let folders = std::fs::read_dir("/proc").ok()?;
        let facts = folders.flatten().filter_map(|folder| {
            folder.file_name().to_str()?.parse::<u32>().ok()?;
            ProcessFacts::parse(&std::fs::read_to_string(folder.path().join("stat")).ok()?)
        });
        let all: Vec<ProcessFacts> = facts.collect();
        (!all.is_empty()).then_some(Self(all))
    }

    /// Returns the process itself, its descendants, its group, and orphans of this process's session
    /// that were adopted. What made a session of its own and lost its parent wants to stay.
    pub fn started_by(&self, root: Pid) -> Vec<ProcessFacts> {
        let own = getpid().as_raw_nonzero().get();
        // A session that was made outside of this container has the number 0, here as in the table.
        let session = self.0.iter().find(|one| one.pid == own).map(|one| one.session);
        let found = self.related_to(root.as_raw_nonzero().get(), own, session);
        self.0.iter().filter(|one| found.contains(&one.pid)).copied().collect()
    }

    /// Whether a process still runs that was seen before.
    pub fn has(&self, seen: &ProcessFacts) -> bool {
        self.0.iter().any(|one| (one.pid, one.born) == (seen.pid, seen.born))
    }

    fn related_to(&self, root: i32, own: i32, session: Option<i32>) -> Vec<i32> {
        let is_start = |one: &&ProcessFacts| {
            let is_orphan = one.parent == own && Some(one.session) == session;
            one.pid == root || one.group == root || is_orphan
        };
        let mut found: Vec<i32> = self.0.iter().filter(is_start).map(|one| one.pid).collect();
        let mut at = 0;
        while let Some(parent) = found.get(at).copied() {
            for child in self.0.iter().filter(|one| one.parent == parent) {
                if !found.contains(&child.pid) {
                    found.push(child.pid);
                }
            }
            at += 1;
        }
        found.retain(|pid| *pid != own);
        found
    }
}

/// The group of this process. In a container it is 0 where the group was made outside of it, which
/// `getpgrp` of the library does not allow for.
pub(super) fn own_group() -> i32 {
    ProcessFacts::own().map_or_else(|| getpgrp().as_raw_nonzero().get(), |own| own.group)
}

/// Has processes whose parents end become children of this one, where the system can do that.
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // Without it, orphans outside the command's group are not found.
    let _ = set_child_subreaper(Some(getpid()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything_and_the_dead_do_not_count() {
        let rest = "1 2 3 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 4711 9 9";
        let facts = ProcessFacts::parse(&format!("7 (a) b (c) S {rest}")).unwrap();
        assert_eq!(facts, ProcessFacts { pid: 7, born: 4711, parent: 1, group: 2, session: 3 });
        assert_eq!(ProcessFacts::parse(&format!("7 (a) Z {rest}")), None);
        assert_eq!(ProcessFacts::parse("7"), None);
    }

    #[test]
    fn descendants_group_and_orphans_are_found_and_others_are_not() {
        let one =
            |pid, parent, group, session| ProcessFacts { pid, born: 0, parent, group, session };
        let processes = Processes(vec![
            one(1, 0, 1, 1),
            one(10, 1, 10, 10),  // this process
            one(20, 10, 20, 10), // the command
            one(21, 20, 20, 10), // its child
            one(22, 21, 22, 22), // with a session of its own, below its child
            one(23, 10, 20, 10), // an orphan of its group
            one(24, 10, 24, 10), // an orphan with a group of its own
            one(25, 10, 25, 25), // an orphan with a session of its own: a daemon
            one(30, 1, 30, 10),  // of the same session, by somebody else
        ]);
        let mut found = processes.related_to(20, 10, Some(10));
        found.sort_unstable();
        assert_eq!(found, [20, 21, 22, 23, 24]);
    }

    #[test]
    fn this_process_is_seen_and_has_started_nothing_by_itself() {
        let Some(processes) = Processes::read() else { return };
        let own = getpid().as_raw_nonzero().get();
        assert!(processes.0.iter().any(|one| one.pid == own));
    }
}
