//! Order per key: models are looked up side by side, what follows leaves in the order in which the
//! records came. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Where a record stands in its lane.
#[derive(Debug)]
enum Place<T> {
    Waiting,
    Ready(T),
}

/// One queue a key. Numbers are given by the caller, each once.
#[derive(Debug)]
pub struct Lanes<T> {
    lanes: HashMap<Arc<str>, VecDeque<(u64, Place<T>)>>,
    keys: HashMap<u64, Arc<str>>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), keys: HashMap::new() }
    }
}

impl<T> Lanes<T> {
    /// A record joins the end of its key's lane.
    pub fn join(&mut self, key: &str, number: u64) {
        let key: Arc<str> = key.into();
        self.lanes.entry(Arc::clone(&key)).or_default().push_back((number, Place::Waiting));
        self.keys.insert(number, key);
    }

    /// A record is ready. What may leave now comes back, in order: itself, if nothing before it
    /// waits, and what waited only for it.
    pub fn ready(&mut self, number: u64, item: T) -> Vec<(u64, T)> {
        self.settle(number, Some(item))
    }

    /// A record will never be ready; what waited only for it comes back.
    pub fn leave(&mut self, number: u64) -> Vec<(u64, T)> {
        self.settle(number, None)
    }

    fn settle(&mut self, number: u64, item: Option<T>) -> Vec<(u64, T)> {
        let Some(key) = self.keys.get(&number).cloned() else { return Vec::new() };
        let Some(lane) = self.lanes.get_mut(&key) else { return Vec::new() };
        if let Some(index) = lane.iter().position(|(other, _)| *other == number) {
            match item {
                Some(item) => lane[index].1 = Place::Ready(item),
                None => {
                    lane.remove(index);
                    self.keys.remove(&number);
                }
            }
        }
        let mut leaving = Vec::new();
        while matches!(lane.front(), Some((_, Place::Ready(_)))) {
            if let Some((number, Place::Ready(item))) = lane.pop_front() {
                self.keys.remove(&number);
                leaving.push((number, item));
            }
        }
        if lane.is_empty() {
            self.lanes.remove(&key);
        }
        leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(keys: &[&str]) -> Lanes<&'static str> {
        let mut lanes = Lanes::default();
        for (number, key) in keys.iter().enumerate() {
            lanes.join(key, number as u64);
        }
        lanes
    }

    #[test]
    fn records_of_a_key_leave_in_the_order_in_which_they_came() {
        let mut lanes = lanes(&["a", "a", "a"]);
        assert_eq!(lanes.ready(2, "third"), []);
        assert_eq!(lanes.ready(1, "second"), []);
        assert_eq!(lanes.ready(0, "first"), [(0, "first"), (1, "second"), (2, "third")]);
    }

    #[test]
    fn keys_do_not_wait_for_one_another() {
        let mut lanes = lanes(&["a", "b"]);
        assert_eq!(lanes.ready(1, "b"), [(1, "b")]);
    }

    #[test]
    fn a_record_that_is_given_up_lets_the_next_go() {
        let mut lanes = lanes(&["a", "a", "a"]);
        assert_eq!(lanes.ready(1, "second"), []);
        assert_eq!(lanes.leave(0), [(1, "second")]);
        assert_eq!(lanes.leave(2), []);
        assert!(lanes.lanes.is_empty() && lanes.keys.is_empty(), "nothing is kept of what left");
    }

    #[test]
    fn a_number_that_is_unknown_changes_nothing() {
        let mut lanes = lanes(&["a"]);
        assert_eq!(lanes.ready(7, "x"), []);
        assert_eq!(lanes.leave(7), []);
        assert_eq!(lanes.ready(0, "first"), [(0, "first")]);
    }
}
