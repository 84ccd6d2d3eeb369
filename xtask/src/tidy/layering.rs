//! Which crate may depend on which: ARCHITECTURE.md's table against cargo's metadata.
//!
//! The table under the heading `Layering` is the source of truth, and every direct dependency
//! has a column. A cell opens with ● for allowed (`● opt` for an optional one) or ○ for a
//! dev-dependency only; anything else forbids.

use super::Finding;
use crate::error::{Error, Result};
use crate::workspace::{Dependency, Package, Workspace};

const DOCUMENT: &str = "ARCHITECTURE.md";

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let path = workspace.root.join(DOCUMENT);
    let text = std::fs::read_to_string(&path).map_err(|error| Error::io("read", &path, error))?;
    let members: Vec<&str> = workspace
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let table = Table::parse(&text, &members)
        .ok_or_else(|| Error::wrong(format!("{DOCUMENT} has no table under `## Layering`")))?;
    let mut findings = table.check_names(&members);
    findings.extend(
        workspace
            .packages
            .iter()
            .flat_map(|package| table.check(package)),
    );
    Ok(findings)
}

/// What a cell of the table allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Forbidden,
    Dev,
    Optional,
    Allowed,
}

#[derive(Debug)]
struct Table {
    /// Line of the header, counted from 1.
    line: usize,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    line: usize,
    name: String,
    edges: Vec<Edge>,
}

impl Table {
    fn parse(text: &str, members: &[&str]) -> Option<Self> {
        let mut lines = (1..).zip(text.lines());
        lines.find(|(_, line)| {
            line.starts_with('#') && line.trim_matches(['#', ' ']) == "Layering"
        })?;
        let mut table = lines
            .skip_while(|(_, line)| !line.starts_with('|'))
            .take_while(|(_, line)| line.starts_with('|'));
        let (line, header) = table.next()?;
        let columns = cells(header)
            .skip(1)
            .map(|cell| full_name(cell, members))
            .collect();
        let rows = table
            .skip(1)
            .filter_map(|(line, row)| Row::parse(line, row))
            .collect();
        Some(Self {
            line,
            columns,
            rows,
        })
    }

    /// A crate without a row has no rule; a row without a crate is a rule about nothing.
    fn check_names(&self, members: &[&str]) -> Vec<Finding> {
        let named = |name: &&&str| !self.rows.iter().any(|row| row.name == **name);
        let missing = members.iter().filter(named).map(|name| {
            Finding::new(
                DOCUMENT,
                self.line,
                format!("the layering table has no row for `{name}`"),
            )
        });
        let unknown = self
            .rows
            .iter()
            .filter(|row| !members.contains(&row.name.as_str()));
        let unknown = unknown.map(|row| {
            Finding::new(
                DOCUMENT,
                row.line,
                format!("`{}` is no crate of the workspace", row.name),
            )
        });
        missing.chain(unknown).collect()
    }

    fn check(&self, package: &Package) -> Vec<Finding> {
        let Some(row) = self.rows.iter().find(|row| row.name == package.name) else {
            return Vec::new();
        };
        let broken = package.dependencies.iter().filter_map(|dependency| {
            let message = self.judge(row, dependency)?;
            Some(Finding::new(
                DOCUMENT,
                row.line,
                format!("{} {message}", row.name),
            ))
        });
        broken.collect()
    }

    /// Why the dependency breaks the table, if it does.
    fn judge(&self, row: &Row, dependency: &Dependency) -> Option<String> {
        let name = &dependency.name;
        let Some(column) = self.columns.iter().position(|column| column == name) else {
            return Some(format!(
                "uses `{name}`, for which the layering table has no column"
            ));
        };
        let dev = dependency.kind.as_deref() == Some("dev");
        match row.edges.get(column).copied().unwrap_or(Edge::Forbidden) {
            Edge::Allowed => None,
            Edge::Optional if dev || dependency.optional => None,
            Edge::Optional => Some(format!("must make `{name}` optional")),
            Edge::Dev if dev => None,
            Edge::Dev => Some(format!("may use `{name}` as a dev-dependency only")),
            Edge::Forbidden => Some(format!("must not use `{name}`")),
        }
    }
}

impl Row {
    fn parse(line: usize, row: &str) -> Option<Self> {
        let mut cells = cells(row);
        let name = cells.next()?.trim_matches(['`', '*']).to_owned();
        let edges = cells.map(Edge::parse).collect();
        Some(Self { line, name, edges })
    }
}

impl Edge {
    fn parse(cell: &str) -> Self {
        match cell.chars().next() {
            Some('●') if cell.contains("opt") => Self::Optional,
            Some('●') => Self::Allowed,
            Some('○') => Self::Dev,
            _ => Self::Forbidden,
        }
    }
}

fn cells(row: &str) -> impl Iterator<Item = &str> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    row.strip_suffix('|')
        .unwrap_or(row)
        .split('|')
        .map(str::trim)
}

/// Headers may leave the `zk-` of our own crates out.
fn full_name(header: &str, members: &[&str]) -> String {
    let header = header.trim_matches(['`', '*']);
    let own = format!("zk-{header}");
    if members.contains(&own.as_str()) {
        own
    } else {
        header.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A\n\n## Layering\n\nWords.\n\n\
        | uses → | proto | tokio | `bytes` | criterion |\n|---|---|---|---|---|\n\
        | zk-proto | – | ● opt `codec` | ● | ○ |\n| zk-tree | ● | | | ○ |\n";

    fn table() -> Table {
        Table::parse(TEXT, &["zk-proto", "zk-tree"]).unwrap()
    }

    #[track_caller]
    fn check(row: &str, name: &str, kind: Option<&str>, optional: bool, expected: Option<&str>) {
        let table = table();
        let row = table.rows.iter().find(|own| own.name == row).unwrap();
        let dependency = Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            optional,
        };
        let message = table.judge(row, &dependency);
        assert_eq!(message.as_deref(), expected);
    }

    #[test]
    fn marks_allow() {
        check("zk-tree", "zk-proto", None, false, None);
        check("zk-proto", "tokio", None, true, None);
        check("zk-tree", "criterion", Some("dev"), false, None);
        check("zk-proto", "bytes", Some("dev"), false, None);
    }

    #[test]
    fn anything_else_forbids() {
        check(
            "zk-tree",
            "bytes",
            None,
            false,
            Some("must not use `bytes`"),
        );
        check(
            "zk-proto",
            "tokio",
            None,
            false,
            Some("must make `tokio` optional"),
        );
        let dev = "may use `criterion` as a dev-dependency only";
        check("zk-proto", "criterion", None, false, Some(dev));
        let unknown = "uses `mio`, for which the layering table has no column";
        check("zk-tree", "mio", Some("dev"), false, Some(unknown));
    }

    #[test]
    fn rows_and_crates_must_agree() {
        let findings = table().check_names(&["zk-proto", "zk-log"]);
        let found: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let missing = "ARCHITECTURE.md:7: the layering table has no row for `zk-log`";
        let unknown = "ARCHITECTURE.md:10: `zk-tree` is no crate of the workspace";
        assert_eq!(found, [missing, unknown]);
    }
}
