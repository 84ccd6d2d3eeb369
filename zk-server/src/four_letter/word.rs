//! The words there are.

/// A four-letter word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// How the server is configured.
    Conf,
    /// All connections in detail.
    Cons,
    /// Sets the numbers of all connections to zero.
    Crst,
    /// How large the data directories are.
    Dirs,
    /// Sessions, ephemerals, connections.
    Dump,
    /// The process's environment.
    Envi,
    /// The trace mask.
    Gtmk,
    /// Digests of the tree.
    Hash,
    /// Whether only reads are served.
    Isro,
    /// All metrics.
    Mntr,
    /// Whether the server runs.
    Ruok,
    /// Sets the server's numbers to zero.
    Srst,
    /// The server's numbers.
    Srvr,
    /// The server's numbers and its connections.
    Stat,
    /// Sets the trace mask.
    Stmk,
    /// What telnet sends when it is interrupted.
    TelnetClose,
    /// Watches by session.
    Wchc,
    /// Watches by path.
    Wchp,
    /// How many watches there are.
    Wchs,
}

const WORDS: [([u8; 4], &str, Word); 19] = [
    (*b"conf", "conf", Word::Conf),
    (*b"cons", "cons", Word::Cons),
    (*b"crst", "crst", Word::Crst),
    (*b"dirs", "dirs", Word::Dirs),
    (*b"dump", "dump", Word::Dump),
    (*b"envi", "envi", Word::Envi),
    (*b"gtmk", "gtmk", Word::Gtmk),
    (*b"hash", "hash", Word::Hash),
    (*b"isro", "isro", Word::Isro),
    (*b"mntr", "mntr", Word::Mntr),
    (*b"ruok", "ruok", Word::Ruok),
    (*b"srst", "srst", Word::Srst),
    (*b"srvr", "srvr", Word::Srvr),
    (*b"stat", "stat", Word::Stat),
    (*b"stmk", "stmk", Word::Stmk),
    ([0xff, 0xf4, 0xff, 0xfd], "telnet close", Word::TelnetClose),
    (*b"wchc", "wchc", Word::Wchc),
    (*b"wchp", "wchp", Word::Wchp),
    (*b"wchs", "wchs", Word::Wchs),
];

impl Word {
    /// The word that these bytes are.
    pub(super) fn of(bytes: [u8; 4]) -> Option<Self> {
        let row = WORDS.iter().find(|(known, ..)| *known == bytes);
        row.map(|(_, _, word)| *word)
    }

    /// As the white list and the answers name it.
    pub(super) fn name(self) -> &'static str {
        let row = WORDS.iter().find(|(_, _, word)| *word == self);
        row.map_or("", |(_, name, _)| name)
    }

    /// The whole answer while nobody is served; `None` if that makes no
    /// difference (`AbstractFourLetterCommand.ZK_NOT_SERVING`).
    pub(super) const fn without_a_leader(self) -> Option<&'static str> {
        match self {
            Self::Envi | Self::Gtmk | Self::Ruok | Self::Stmk | Self::TelnetClose => None,
            Self::Isro => Some("null"),
            Self::Hash => Some("This ZooKeeper instance is not currently serving requests"),
            _ => Some("This ZooKeeper instance is not currently serving requests\n"),
        }
    }

    /// Whether the answer takes more than a moment.
    pub(super) const fn is_long(self) -> bool {
        match self {
            Self::Conf
            | Self::Cons
            | Self::Crst
            | Self::Dirs
            | Self::Dump
            | Self::Envi
            | Self::Hash
            | Self::Mntr
            | Self::Stat
            | Self::Wchc
            | Self::Wchp => true,
            Self::Gtmk
            | Self::Isro
            | Self::Ruok
            | Self::Srst
            | Self::Srvr
            | Self::Stmk
            | Self::TelnetClose
            | Self::Wchs => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_by_their_bytes() {
        for (bytes, name, word) in WORDS {
            assert_eq!(Word::of(bytes), Some(word));
            assert_eq!(word.name(), name);
        }
        assert_eq!(Word::of(*b"RUOK"), None);
        assert_eq!(Word::of(*b"kill"), None);
        assert_eq!(Word::of([0, 0, 0, 45]), None);
    }
}
