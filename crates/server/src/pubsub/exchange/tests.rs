//! Who gets what, and in which order.

use super::*;

fn taken(exchange: &Exchange, worker: usize) -> Vec<(u64, Vec<u8>)> {
    let next = || exchange.take(worker).map(|message| (message.number, message.channel().to_vec()));
    std::iter::from_fn(next).collect()
}

#[test]
fn a_message_reaches_each_worker_with_subscribers_once() {
    let exchange = Exchange::new(3);
    exchange.join(Kind::Channel, b"news", 0);
    exchange.join(Kind::Channel, b"news", 0);
    exchange.join(Kind::Pattern, b"n*", 0);
    exchange.join(Kind::Pattern, b"n*", 2);
    let sent = exchange.publish(Kind::Channel, b"news", b"x");
    assert_eq!(sent, Sent { receivers: 4, workers: 0b101, is_crowded: false });
    assert_eq!(taken(&exchange, 0), [(1, b"news".to_vec())]);
    assert_eq!(taken(&exchange, 1), []);
    assert_eq!(taken(&exchange, 2), [(1, b"news".to_vec())]);
}

#[test]
fn shard_channels_are_apart_from_channels_and_patterns() {
    let exchange = Exchange::new(1);
    exchange.join(Kind::Channel, b"a", 0);
    exchange.join(Kind::Pattern, b"*", 0);
    assert_eq!(exchange.publish(Kind::Shard, b"a", b"x").receivers, 0);
    exchange.join(Kind::Shard, b"a", 0);
    assert_eq!(exchange.publish(Kind::Shard, b"a", b"x").receivers, 1);
}

#[test]
fn who_leaves_gets_nothing_and_the_name_is_gone_with_the_last() {
    let exchange = Exchange::new(1);
    for kind in Kind::ALL {
        exchange.join(kind, b"a", 0);
        exchange.join(kind, b"a", 0);
        exchange.leave(kind, b"a", 0);
        assert_eq!(exchange.names(kind), 1);
        exchange.leave(kind, b"a", 0);
        assert_eq!(exchange.names(kind), 0);
    }
    assert_eq!(exchange.publish(Kind::Channel, b"a", b"x"), Sent::default());
}

#[test]
fn numbers_tell_which_messages_a_subscription_concerns() {
    let exchange = Exchange::new(1);
    assert_eq!(exchange.join(Kind::Channel, b"a", 0).number, 0);
    exchange.publish(Kind::Channel, b"a", b"x");
    assert_eq!(exchange.join(Kind::Channel, b"a", 0).number, 1);
    exchange.publish(Kind::Channel, b"a", b"y");
    assert_eq!(exchange.leave(Kind::Channel, b"a", 0).number, 2);
    assert_eq!(taken(&exchange, 0).iter().map(|one| one.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_inbox_that_fills_up_says_so_until_it_is_taken_from() {
    let exchange = Exchange::new(1);
    exchange.join(Kind::Channel, b"a", 0);
    let payload = vec![0; CROWD as usize / 4];
    let crowded: Vec<bool> =
        (0..4).map(|_| exchange.publish(Kind::Channel, b"a", &payload).is_crowded).collect();
    assert_eq!(crowded, [false, false, false, true]);
    assert!(!exchange.has_room());
    assert_eq!(taken(&exchange, 0).len(), 4);
    assert!(exchange.has_room());
}

#[test]
fn each_name_has_a_place_of_its_own_until_its_last_subscriber_leaves() {
    let exchange = Exchange::new(2);
    let first = exchange.join(Kind::Channel, b"a", 0).place;
    assert_eq!(exchange.join(Kind::Channel, b"a", 1).place, first);
    let other = exchange.join(Kind::Shard, b"a", 0).place;
    assert_ne!(other, first);
    assert_eq!(exchange.join(Kind::Pattern, b"a", 0).place, None);
    exchange.publish(Kind::Channel, b"a", b"x");
    assert_eq!(exchange.take(0).and_then(|message| message.place), first);
    assert_eq!(exchange.leave(Kind::Channel, b"a", 0).place, first);
    assert_ne!(exchange.join(Kind::Channel, b"b", 0).place, first);
    assert_eq!(exchange.leave(Kind::Channel, b"a", 1).place, first);
    assert_eq!(exchange.join(Kind::Channel, b"c", 0).place, first);
}
