//! The service manager above this process, told by what it puts into the environment (systemd.exec(5), "Environment variables set or
//! propagated by the service manager").

/// Whether systemd started this process with this pid as the main one of a unit, and starts the next when it dies.
#[must_use]
pub(crate) fn restarts(pid: i32) -> bool {
    is_main_of_unit(pid, |name| std::env::var(name).ok())
}

fn is_main_of_unit(pid: i32, variable: impl Fn(&str) -> Option<String>) -> bool {
    let unit = variable("NOTIFY_SOCKET").is_some() || variable("INVOCATION_ID").is_some();
    // Everything below a user's session has an invocation's id too; newer systemds also say whose it is.
    let other = variable("SYSTEMD_EXEC_PID").is_some_and(|main| main != pid.to_string());
    unit && !other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_of_systemd_is_told_from_a_session_below_one() {
        let is = |variables: &[(&str, &str)]| {
            is_main_of_unit(7, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(!is(&[]));
        assert!(is(&[("NOTIFY_SOCKET", "/run/x")]));
        assert!(is(&[("INVOCATION_ID", "ab")]));
        assert!(is(&[("INVOCATION_ID", "ab"), ("SYSTEMD_EXEC_PID", "7")]));
        assert!(!is(&[("INVOCATION_ID", "ab"), ("SYSTEMD_EXEC_PID", "8")]));
        assert!(!is(&[("SYSTEMD_EXEC_PID", "7")]));
    }
}
