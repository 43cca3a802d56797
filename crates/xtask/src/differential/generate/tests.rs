//! The generator: the same commands for the same seed, of every form, and nothing left out.

use std::collections::HashSet;

use super::*;

fn commands(seed: u64, groups: &[usize], count: usize) -> Vec<Generated> {
    let mut generator = Generator::new(seed, groups);
    let mut commands = Vec::new();
    for at in 0..count {
        if at % 500 == 0 {
            generator.begin_epoch();
        }
        commands.push(generator.next_command());
    }
    commands
}

#[test]
fn a_seed_gives_the_same_commands() {
    let first = commands(7, &[], 3000);
    assert_eq!(first, commands(7, &[], 3000));
    assert_ne!(first, commands(8, &[], 3000));
}

#[test]
fn every_form_is_generated() {
    let generator = Generator::new(1, &[]);
    let seen: HashSet<usize> = commands(1, &[], 60_000).iter().map(|one| one.row).collect();
    for (row, entry) in generator.entries().iter().enumerate() {
        assert!(seen.contains(&row), "never generated: {}", entry.row.form);
    }
}

#[test]
fn only_the_chosen_groups_take_part() {
    let list = GROUPS.iter().position(|group| group.name == "list").expect("a group");
    let generator = Generator::new(1, &[list]);
    for one in commands(1, &[list], 1000) {
        assert_eq!(generator.entry(one.row).group, list);
    }
}

#[test]
fn nothing_that_is_left_out_is_generated() {
    for one in commands(3, &[], 20_000) {
        assert!(!exceptions::is_left_out(&one.argv), "{:?}", one.argv);
    }
}

#[test]
fn counts_agree_with_what_they_count() {
    let mut generator = Generator::new(5, &[]);
    let row = generator
        .entries()
        .iter()
        .position(|entry| entry.row.form.starts_with("SINTERCARD"))
        .expect("a row");
    for _ in 0..200 {
        let argv = generator.spell(row);
        let count: usize = String::from_utf8_lossy(&argv[1]).parse().expect("a number");
        let is_limit = |arg: &Vec<u8>| arg.eq_ignore_ascii_case(b"limit");
        let end = argv.iter().rposition(is_limit).filter(|at| *at == argv.len() - 2);
        assert_eq!(end.unwrap_or(argv.len()) - 2, count, "{argv:?}");
    }
}

#[test]
fn an_epoch_sets_every_threshold() {
    let mut generator = Generator::new(1, &[]);
    let settings = generator.begin_epoch();
    assert_eq!(settings.len(), SETTINGS.len());
    assert!(settings.iter().all(|argv| argv.len() == 4 && argv[1] == b"SET"));
}
