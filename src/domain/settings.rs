//! What the daemon is told about itself, besides definitions.

/// Settings of the daemon, of its file and its environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// The machine, as dashboards show it.
    pub(crate) host: HostSettings,
}

/// What is said of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HostSettings {
    /// What it is called; its own name when not given.
    pub(crate) name: Option<String>,
    /// What stands out beside the name: `PROD`.
    pub(crate) label: Option<String>,
    /// Whether questions are harder to answer with yes than elsewhere.
    pub(crate) strict: bool,
}
