//! Tables that wait for their first use, one for all that draw from equal laws: the deployments of one provider, the
//! variants of one scenario (in `bench-full` 60 tables instead of 121).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::random::law::Law;
use crate::random::score::ByScore;
use crate::random::table::Table;

/// A table that waits for its first use: reading and checking a scenario draws nothing.
#[derive(Debug)]
pub(super) struct Lazy {
    law: Arc<Law>,
    table: OnceLock<Table>,
    by_score: OnceLock<ByScore>,
}

impl Lazy {
    /// The law that is tabulated.
    pub(super) const fn law(&self) -> &Arc<Law> {
        &self.law
    }

    /// Its table.
    #[inline(always)]
    pub(super) fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::new(&self.law))
    }

    /// Its value at a normal score.
    #[inline(always)]
    pub(super) fn at_score(&self, score: f64) -> f64 {
        self.by_score.get_or_init(|| ByScore::new(&self.law)).at(&self.law, score)
    }
}

/// The tables that somebody has, by their laws written out: the shortest text of a number is its own.
#[derive(Debug, Default)]
struct Shelf {
    tables: BTreeMap<String, Weak<Lazy>>,
    /// With more than this, it is time to look for those that nobody has any more.
    full: usize,
}

/// A shelf is looked through when it holds twice what was in use the last time, and more than this.
const FEW: usize = 64;

impl Shelf {
    fn find(&mut self, law: Law) -> Arc<Lazy> {
        let text = format!("{law:?}");
        if let Some(table) = self.tables.get(&text).and_then(Weak::upgrade) {
            return table;
        }
        let table = Arc::new(Lazy { law: Arc::new(law), table: OnceLock::new(), by_score: OnceLock::new() });
        self.tables.insert(text, Arc::downgrade(&table));
        if self.tables.len() > self.full.max(FEW) {
            self.tables.retain(|_, table| table.strong_count() > 0);
            self.full = 2 * self.tables.len();
        }
        table
    }
}

/// The table of a law: the one that others with an equal law have, if there are any.
pub(super) fn table_of(law: Law) -> Arc<Lazy> {
    static SHELF: Mutex<Option<Shelf>> = Mutex::new(None);
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    shelf.get_or_insert_default().find(law)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(mean: f64) -> Law {
        Law::Mixture(vec![(1.0, Law::Exponential { mean })])
    }

    #[test]
    fn equal_laws_share_a_table_and_others_do_not() {
        let (one, same) = (table_of(law(3.25)), table_of(law(3.25)));
        assert!(Arc::ptr_eq(&one, &same));
        assert!(!Arc::ptr_eq(&one, &table_of(law(f64::from_bits(3.25f64.to_bits() + 1)))));
    }

    #[test]
    fn tables_that_nobody_has_are_forgotten() {
        let mut shelf = Shelf::default();
        let kept = shelf.find(law(0.5));
        for n in 0..10_000 {
            shelf.find(law(f64::from(n) + 1.0));
        }
        assert!(shelf.tables.len() <= FEW + 1, "{}", shelf.tables.len());
        assert!(Arc::ptr_eq(&kept, &shelf.find(law(0.5))));
    }
}
