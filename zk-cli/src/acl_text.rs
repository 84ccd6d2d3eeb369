//! Access control lists as the shell reads and prints them:
//! `scheme:id:perms,...`, with the id between the first and the last colon.

use crate::output::Output;
use zk_client::{Acl, Perms};

const LETTERS: [(char, Perms); 5] = [
    ('c', Perms::CREATE),
    ('d', Perms::DELETE),
    ('r', Perms::READ),
    ('w', Perms::WRITE),
    ('a', Perms::ADMIN),
];

/// The entries of `text` (`AclParser`). What is no entry is said on standard
/// error and left out.
pub(crate) fn parse<'a>(text: &'a str, output: &Output) -> Vec<Acl<'a>> {
    let entries: Vec<&str> = text.split(',').collect();
    // Java's split drops empty pieces at the end, but not the only piece.
    let last = entries.iter().rposition(|entry| !entry.is_empty());
    let length = last.map_or(usize::from(text.is_empty()), |last| last + 1);
    entries[..length]
        .iter()
        .filter_map(|entry| parse_entry(entry, output))
        .collect()
}

fn parse_entry<'a>(entry: &'a str, output: &Output) -> Option<Acl<'a>> {
    let parts = entry
        .split_once(':')
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once(':')?)));
    let Some((scheme, (id, letters))) = parts else {
        output.error(&format!("{entry} does not have the form scheme:id:perm"));
        return None;
    };
    Some(Acl::new(parse_perms(letters, output), scheme, id))
}

fn parse_perms(letters: &str, output: &Output) -> Perms {
    let mut perms = Perms::default();
    for letter in letters.chars() {
        match LETTERS.iter().find(|(known, _)| *known == letter) {
            Some((_, perm)) => perms = perms.union(*perm),
            None => output.error(&format!("Unknown perm type: {letter}")),
        }
    }
    perms
}

/// An entry as getAcl prints it: two lines, of which the second is not ended.
pub(crate) fn entry(acl: &Acl<'_>) -> String {
    let letters = letters(acl.perms);
    let (scheme, id) = (csv(acl.id.scheme()), csv(acl.id.id()));
    format!("'{scheme},'{id}\n: {letters}")
}

/// The letters of permissions.
pub(crate) fn letters(perms: Perms) -> String {
    let granted = LETTERS.iter().filter(|(_, perm)| perms.intersects(*perm));
    granted.map(|(letter, _)| letter).collect()
}

/// Jute's escapes for text in its CSV form.
pub(crate) fn csv(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => escaped.push_str("%00"),
            '\n' => escaped.push_str("%0A"),
            '\r' => escaped.push_str("%0D"),
            ',' => escaped.push_str("%2C"),
            '}' => escaped.push_str("%7D"),
            '%' => escaped.push_str("%25"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, entries: &[&str]) {
        let parsed = parse(text, &Output::new());
        let shown: Vec<String> = parsed.iter().map(entry).collect();
        assert_eq!(shown, entries);
    }

    #[test]
    fn entries_are_read_and_printed() {
        check("world:anyone:cdrwa", &["'world,'anyone\n: cdrwa"]);
        check("ip:::1:r,auth::wa", &["'ip,'::1\n: r", "'auth,'\n: wa"]);
        check("digest:u:h=:ar,", &["'digest,'u:h=\n: ra"]);
        check("world:anyone:", &["'world,'anyone\n: "]);
    }

    #[test]
    fn what_is_no_entry_is_left_out() {
        check("bogus", &[]);
        check("a:b", &[]);
        check("", &[]);
        check("world:anyone:rx", &["'world,'anyone\n: r"]);
    }
}
