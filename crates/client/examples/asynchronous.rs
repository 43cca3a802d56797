//! A tour of the client on tokio:
//! `cargo run -p client --features tokio --example asynchronous -- redis://127.0.0.1`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use client::{AsyncClient, Result, cmd};

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(client::Error::Connect)?.block_on(tour(&address))
}

/// Leaves nothing behind.
pub async fn tour(address: &str) -> Result<()> {
    let client = AsyncClient::open(address).await?;

    // Clones share one connection, on which their commands travel together.
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.run(cmd::incr("tour:tasks")).await })
        })
        .collect();
    for task in tasks {
        if let Ok(count) = task.await {
            println!("count: {}", count?);
        }
    }
    client.run(cmd::del(["tour:tasks"])).await?;

    // Messages come to whoever listens, also after the connection had to be made anew.
    let mut messages = client.messages();
    client.run(cmd::subscribe(["tour:news"])).await?;
    client.run(cmd::publish("tour:news", "something happened")).await?;
    if let Some(message) = messages.next_message().await {
        println!("message: {}", String::from_utf8_lossy(&message.payload));
    }
    Ok(())
}
