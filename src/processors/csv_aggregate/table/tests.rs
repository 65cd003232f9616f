use super::super::layout::{self, Kind};
use super::{Budget, Layout, Table};

fn table(direct: bool) -> Table {
    let dictionaries = if direct { 1 } else { 2 };
    Table::new(Layout::new(dictionaries, &[Kind::Sum], false), direct)
}

/// Adds its number to the cell of every group.
fn fill(table: &mut Table, budget: &mut Budget, groups: u64) -> Option<()> {
    for number in 1..=groups {
        let at = table.locate([(number << 32) | (number % 7), 0], budget)?;
        let (layout, group) = table.layout_and_group(at);
        let (_, cell) = layout.cells[0];
        layout::set(group, cell, layout::get(group, cell) + number);
    }
    Some(())
}

#[test]
fn groups_are_found_again_while_the_table_grows() {
    for direct in [false, true] {
        let (mut table, mut budget) = (table(direct), Budget::new(1 << 20));
        fill(&mut table, &mut budget, 5000).unwrap();
        fill(&mut table, &mut budget, 5000).unwrap();
        let sums: u64 = table.groups().map(|group| layout::get(group, 1)).sum();
        assert_eq!((table.groups().count(), sums), (5000, 5000 * 5001));
    }
}

#[test]
fn a_table_asks_the_budget_for_the_old_and_the_new_array() {
    let (mut table, mut budget) = (table(false), Budget::new(3 * 128 * 16));
    // 256 slots are filled to three quarters.
    fill(&mut table, &mut budget, 192).unwrap();
    assert_eq!(fill(&mut table, &mut budget, 193), None);
    assert_eq!(budget.free(), 128 * 16);
    // A fresh table needs no old array, so it can be larger.
    let layout = table.layout().clone();
    table.restart(layout, 3 * 128 * 16, &mut budget);
    fill(&mut table, &mut budget, 288).unwrap();
    assert_eq!((table.groups().count(), budget.free()), (288, 0));
}
