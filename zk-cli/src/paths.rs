//! Paths as users write them: absolute, or from the znode that `cd` went to.

/// The absolute path that `path` means in `directory`. Without one, and for
/// what is absolute already, the path stays as it is, right or wrong: it is
/// the server's rules that count. A slash at the end stays too, since a
/// sequential znode may be created so.
pub(crate) fn resolve(directory: Option<&str>, path: &str) -> String {
    let Some(directory) = directory.filter(|_| !path.starts_with('/')) else {
        return path.to_owned();
    };
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", parts.join("/"))
}

/// The path of a child.
pub(crate) fn child(parent: &str, name: &str) -> String {
    match parent {
        "/" => format!("/{name}"),
        _ => format!("{parent}/{name}"),
    }
}

/// What stands behind the last slash.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `path`, which is `root` or lies below it, seen from there: "" for the root
/// itself, else with a slash in front.
pub(crate) fn below<'a>(root: &str, path: &'a str) -> &'a str {
    match root {
        "/" if path == "/" => "",
        "/" => path,
        _ => &path[root.len()..],
    }
}

/// The other way round.
pub(crate) fn join(root: &str, below: &str) -> String {
    match (root, below) {
        (root, "") => root.to_owned(),
        ("/", below) => below.to_owned(),
        (root, below) => format!("{root}{below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_where_cd_went() {
        let at = |directory, path| resolve(Some(directory), path);
        assert_eq!(at("/a", "b"), "/a/b");
        assert_eq!(at("/a/b", "../c/./d"), "/a/c/d");
        assert_eq!(at("/a", "../../.."), "/");
        assert_eq!(at("/", "lock/"), "/lock/");
        assert_eq!(at("/a", "."), "/a");
        assert_eq!(at("/a", ""), "/a");
        assert_eq!(at("/a", "/b/../c"), "/b/../c");
        assert_eq!(resolve(None, "b"), "b");
    }

    #[test]
    fn paths_come_apart_and_together() {
        for (root, path, rest) in [
            ("/", "/", ""),
            ("/", "/a/b", "/a/b"),
            ("/a", "/a", ""),
            ("/a", "/a/b", "/b"),
        ] {
            assert_eq!(below(root, path), rest);
            assert_eq!(join(root, rest), path);
        }
    }
}
