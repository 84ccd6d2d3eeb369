//! The order in which Java's hash tables hand out what was put into them.
//! Apache's tools print znodes and sessions in it, so that a comparison with
//! their output needs it.

/// The order of strings in a `HashSet` made for eight of them: indices into
/// `names`.
pub(super) fn strings<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    order(8, names.map(string_hash))
}

/// The order of longs in a `HashMap`.
pub(super) fn longs(keys: impl Iterator<Item = i64>) -> Vec<usize> {
    order(
        16,
        keys.map(|key| (key ^ (key.cast_unsigned() >> 32).cast_signed()) as i32),
    )
}

/// `String.hashCode`.
fn string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

/// A chain longer than this makes a small table grow.
const CHAIN_MAX: usize = 8;
/// From this size on chains become trees instead.
const TREES_FROM: usize = 64;

fn order(capacity: usize, hashes: impl Iterator<Item = i32>) -> Vec<usize> {
    let mut table = vec![Vec::new(); capacity];
    for (index, hash) in hashes.enumerate() {
        let hash = hash.cast_unsigned();
        let spread = hash ^ (hash >> 16);
        let slot = spread as usize & (table.len() - 1);
        table[slot].push((spread, index));
        if table[slot].len() > CHAIN_MAX && table.len() < TREES_FROM {
            grow(&mut table);
        }
        if index + 1 > table.len() / 4 * 3 {
            grow(&mut table);
        }
    }
    table
        .into_iter()
        .flatten()
        .map(|(_, index)| index)
        .collect()
}

fn grow(table: &mut Vec<Vec<(u32, usize)>>) {
    let old = std::mem::take(table);
    let capacity = old.len() * 2;
    table.resize(capacity, Vec::new());
    for entry in old.into_iter().flatten() {
        table[entry.0 as usize & (capacity - 1)].push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_in_javas_order() {
        let names: Vec<String> = (0..20).map(|n| format!("n{}", n * 7)).collect();
        let names = names.iter().map(String::as_str).chain(["grüße"]);
        let names: Vec<&str> = names.collect();
        let order = strings(names.iter().copied()).into_iter();
        // As Java 17 prints the same set.
        assert_eq!(
            order.map(|at| names[at]).collect::<Vec<_>>().join(" "),
            "n0 n70 n91 n7 n63 n84 n21 n98 n42 n56 n77 n14 n35 n133 n49 grüße n28 n126 n112 n119 \
             n105"
        );
    }

    #[test]
    fn longs_come_in_javas_order() {
        let keys = [
            0x0100_0013_3236_0004,
            0x0100_0013_3236_0001,
            0x0200_0013_3236_0000,
            -5,
            7,
        ];
        assert_eq!(longs(keys.into_iter()), [0, 1, 3, 2, 4]);
    }
}
