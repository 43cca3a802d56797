//! A tour of the blocking client: `cargo run -p client --example blocking -- redis://127.0.0.1`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use client::{Client, Fate, Result, Script, Transaction, cmd};

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1".to_owned());
    tour(&address)
}

/// Leaves nothing behind but the key `tour:visits`.
pub fn tour(address: &str) -> Result<()> {
    let mut client = Client::open(address)?;

    // A command, its reply in the type that is asked for.
    client.run(cmd::set("tour:greeting", "hello"))?;
    let greeting: Option<String> = client.run(cmd::get("tour:greeting").reading())?;
    println!("greeting: {greeting:?}");

    // A pipeline: sent at once, with a result for each part.
    let (visits, deleted) = client.run((cmd::incr("tour:visits"), cmd::del(["tour:greeting"])));
    println!("visits: {}, deleted: {}", visits?, deleted?);

    // A transaction: all of it or nothing.
    let both = Transaction((cmd::incrby("tour:from", -5), cmd::incrby("tour:to", 5)));
    if let Some((from, to)) = client.run(both)? {
        println!("moved: {} and {}", from?, to?);
    }
    client.run(cmd::del(["tour:from", "tour:to"]))?;

    // A script: sent by its digest, and whole where the server does not know it.
    let script = Script::new("return redis.call('EXISTS', KEYS[1]) + ARGV[1]");
    let number: i64 = client.run(script.call(&["tour:visits"], &[&41]))?;
    println!("the script says {number}");

    // An error says whether the command may have run; nothing that writes is repeated by itself.
    match client.run(cmd::incr("tour:visits")) {
        Ok(visits) => println!("visits: {visits}"),
        Err(error) if error.fate() == Fate::MayHaveRun => println!("nobody knows: {error}"),
        Err(error) => println!("it did not run: {error}"),
    }
    Ok(())
}
