//! Two trees, compared in everything that is replicated. It refuses to know
//! whose they are.

use zk_tree::{DataTree, NodeRef};

/// The first difference between two trees, if there is one.
pub(crate) fn compare_trees(one: &DataTree, two: &DataTree) -> Option<String> {
    let sessions = |tree: &DataTree| tree.sessions().collect::<Vec<_>>();
    if sessions(one) != sessions(two) {
        let (one, two) = (sessions(one), sessions(two));
        return Some(format!("sessions {one:?} and {two:?}"));
    }
    if one.node_count() != two.node_count() {
        return Some(format!(
            "{} and {} znodes",
            one.node_count(),
            two.node_count()
        ));
    }
    for (session, _) in one.sessions() {
        let (mut left, mut right) = (one.ephemerals(session), two.ephemerals(session));
        left.sort();
        right.sort();
        if left != right {
            return Some(format!("ephemerals of {session}: {left:?} and {right:?}"));
        }
    }
    compare_znodes(one, two)
}

fn compare_znodes(one: &DataTree, two: &DataTree) -> Option<String> {
    let mut open = vec!["/".to_owned()];
    while let Some(path) = open.pop() {
        let (Some(left), Some(right)) = (one.get(&path), two.get(&path)) else {
            return Some(format!("{path} is in one of them"));
        };
        if path != CONFIG && !is_equal(&left, &right) {
            let (left, right) = (left.stored(), right.stored());
            return Some(format!("{path}: {left:?} and {right:?}"));
        }
        let parent = if path == "/" { "" } else { &path };
        let children = left.child_names();
        open.extend(children.map(|name| format!("{parent}/{name}")));
    }
    None
}

/// What a server writes there by itself is no transaction, and has its own
/// time.
const CONFIG: &str = "/zookeeper/config";

fn is_equal(left: &NodeRef<'_>, right: &NodeRef<'_>) -> bool {
    left.stored() == right.stored()
        && left.data() == right.data()
        && left.acl().entries() == right.acl().entries()
        && left.num_children() == right.num_children()
}
