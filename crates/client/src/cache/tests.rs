//! What is kept, forgotten, and pushed out.

use resp::Value;

use super::Cache;

#[test]
fn replies_are_found_by_key_and_command() {
    let mut cache = Cache::new(10);
    cache.put(b"k", b"GET".to_vec(), Value::Int(1));
    cache.put(b"k", b"STRLEN".to_vec(), Value::Int(2));
    assert_eq!(cache.get(b"k", b"GET"), Some(Value::Int(1)));
    assert_eq!(cache.get(b"k", b"STRLEN"), Some(Value::Int(2)));
    cache.forget(b"k");
    assert_eq!(cache.get(b"k", b"GET"), None);
    assert_eq!((cache.hits, cache.misses, cache.entries), (2, 1, 0));
}

#[test]
fn it_stays_within_its_bounds() {
    let mut cache = Cache::new(10);
    for round in 0..1000_i64 {
        let key = (round % 37).to_string().into_bytes();
        cache.put(&key, b"GET".to_vec(), Value::Int(round));
        assert_eq!(cache.get(&key, b"GET"), Some(Value::Int(round)));
        if round % 3 == 0 {
            cache.forget(&key);
        }
        assert!(cache.entries <= 10 && cache.order.len() <= 2 * 10 + 17);
    }
    cache.clear();
    assert_eq!((cache.entries, cache.by_key.len(), cache.order.len()), (0, 0, 0));
}
