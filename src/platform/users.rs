//! Names of users, and the terminal of this process.

use std::os::fd::AsFd;

/// The name of a user, from the machine's own list: a directory on the network may hang, and is not asked.
#[must_use]
pub(crate) fn name(uid: u32) -> String {
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    of_list(&list, uid).unwrap_or_else(|| format!("uid {uid}"))
}

fn of_list(list: &str, uid: u32) -> Option<String> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        let plain = name.chars().all(|c| c.is_ascii_graphic());
        (number == uid && plain && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The terminal that this process was started from: `pts/4`; none where there is none.
#[must_use]
pub(crate) fn terminal() -> Option<String> {
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let all = [input.as_fd(), output.as_fd(), error.as_fd()];
    let path = all
        .into_iter()
        .find_map(|fd| nix::unistd::ttyname(fd).ok())?;
    let name = path.strip_prefix("/dev").unwrap_or(&path);
    Some(name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_called_as_the_machines_list_has_it() {
        let list = "root:x:0:0:root:/root:/bin/sh\nbad\nops:x:1000:1000::/:/bin/sh\n";
        assert_eq!(of_list(list, 0).as_deref(), Some("root"));
        assert_eq!(of_list(list, 1000).as_deref(), Some("ops"));
        assert_eq!(of_list(list, 7), None);
        assert_eq!(of_list("\x1b[2J:x:7:7::/:/bin/sh", 7), None);
    }
}
