//! What the tables look like.

use super::*;

#[test]
fn numbers_stand_in_line_and_short_rows_are_filled() {
    let mut table = Table::new(&["name", "µs"]);
    table.push(vec!["GET".to_owned(), "1.50".to_owned()]);
    table.push(vec!["longer".to_owned(), "12.25".to_owned()]);
    table.push(vec!["none".to_owned()]);
    assert_eq!(
        table.to_terminal(),
        "name    µs   \nGET      1.50\nlonger  12.25\nnone\n".replace("µs   ", "µs")
    );
    let markdown = "| name | µs |\n|---|---:|\n| GET | 1.50 |\n| longer | 12.25 |\n| none |  |\n";
    assert_eq!(table.to_markdown(), markdown);
}

#[test]
fn the_median_of_an_even_count_is_between() {
    assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    assert_eq!(median(Vec::new()), 0.0);
}
