//! System properties out of `JVMFLAGS` and `SERVER_JVMFLAGS`, where many
//! sites keep `-Dzookeeper.x=y`. It refuses to know what the properties mean.

use std::{env, fmt};

/// Options for a JVM that there is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JvmFlags {
    /// The `-Dname=value` among them, in the order in which they apply.
    pub properties: Vec<JvmProperty>,
    /// All other options, such as `-Xmx1g`.
    pub others: Vec<String>,
}

/// One `-Dname=value`. Its `Debug` leaves the value out, which may be a
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct JvmProperty {
    /// The name, with `zookeeper.` before it if it was written so.
    pub name: String,
    /// The value, empty if there was none.
    pub value: String,
    /// The environment variable it stood in.
    pub variable: &'static str,
}

impl fmt::Debug for JvmProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-D{}=..", self.name)
    }
}

impl JvmFlags {
    /// The flags in this process's environment. `zkServer.sh` puts
    /// `SERVER_JVMFLAGS` first, and the last of two equal properties counts.
    #[must_use]
    pub fn from_env() -> Self {
        let mut flags = Self::default();
        for variable in ["SERVER_JVMFLAGS", "JVMFLAGS"] {
            let text = env::var_os(variable).unwrap_or_default();
            flags.add(variable, &text.to_string_lossy());
        }
        flags
    }

    /// Adds the flags in `text`, the content of `variable`. They end at white
    /// space and nowhere else, as when a shell expands the variable.
    pub fn add(&mut self, variable: &'static str, text: &str) {
        for word in text.split_ascii_whitespace() {
            let Some(property) = word.strip_prefix("-D") else {
                self.others.push(word.to_owned());
                continue;
            };
            let (name, value) = property.split_once('=').unwrap_or((property, ""));
            self.properties.push(JvmProperty {
                name: name.to_owned(),
                value: value.to_owned(),
                variable,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_a_shell_expands() {
        let mut flags = JvmFlags::default();
        flags.add(
            "JVMFLAGS",
            " -Xmx1g  -Dzookeeper.a=b=c\t-Dbare -Dq=\"x y\"\n",
        );
        let pairs: Vec<_> = flags
            .properties
            .iter()
            .map(|property| (property.name.as_str(), property.value.as_str()))
            .collect();
        assert_eq!(pairs, [("zookeeper.a", "b=c"), ("bare", ""), ("q", "\"x")]);
        assert_eq!(flags.others, ["-Xmx1g", "y\""]);
    }

    #[test]
    fn values_are_not_shown() {
        let mut flags = JvmFlags::default();
        flags.add("JVMFLAGS", "-Dzookeeper.ssl.keyStore.password=sesame");
        assert!(!format!("{flags:?}").contains("sesame"));
    }
}
