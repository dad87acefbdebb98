//! What something would do, with who is connected; and what is protected.

use std::net::TcpStream;

use crate::child;
use crate::sandbox::Sandbox;
use crate::screen::Screen;

/// A server that says where it listens in `port`.
fn server(s: &Sandbox) -> String {
    let port = s.path("port");
    let program = format!(
        "import socket, time\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen(9)\n\
         open({0:?} + '.new', 'w').write(str(s.getsockname()[1]) + '\\n')\n\
         import os\nos.rename({0:?} + '.new', {0:?})\nheld = []\nwhile True: held.append(s.accept())\n",
        port.to_str().unwrap()
    );
    let file = s.file("server.py", program);
    s.script("server", &format!("exec python3 {}", file.display()))
}

#[test]
fn a_dry_run_tells_who_is_connected_and_touches_nothing() {
    let s = Sandbox::new();
    s.start("api", &server(&s), &[]);
    let port: u16 = s
        .until_file("port", |text| text.ends_with('\n'))
        .trim()
        .parse()
        .unwrap();
    let _clients = [0; 3].map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap());
    let known = s.known("api");
    let told = s.run(&["stop", "--dry-run", "api"]).success().stderr("");
    let _ = told
        .stdout_has("stop api: 1 of 1 run now, 0 of 1 afterwards")
        .stdout_has("ends       api\n")
        .stdout_has("how        SIGTERM, 10s, then SIGKILL")
        .stdout_has(&format!("open now   3 connections on :{port}"))
        .stdout_has("`adasa undo` would take it back for 10m; nothing was changed");
    let json = s
        .run(&["delete", "--dry-run", "--json", "api"])
        .success()
        .json();
    assert_eq!(json["processes"][0]["connections"], 3, "{json}");
    for args in [
        &["restart", "--dry-run", "api"][..],
        &["restart", "--rolling", "--dry-run", "api"],
        &["scale", "--dry-run", "api", "+2"],
        &["signal", "--dry-run", "KILL", "api"],
        &["delete", "--dry-run", "all"],
    ] {
        let _ = s.run(args).success().stdout_has("nothing was changed");
    }
    assert_eq!(s.known("api"), known);
    assert_eq!(s.rows().len(), 1);
}

fn protected() -> Sandbox {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let text = format!("[[processes]]\nname = \"db\"\nscript = {program:?}\nprotected = true\n");
    s.file("adasa.toml", text);
    let _ = s.run(&["up", "-d"]).success();
    s
}

#[test]
fn what_is_protected_is_refused_until_it_is_said_twice() {
    let s = protected();
    let known = s.known("db");
    for args in [
        &["stop", "db"][..],
        &["stop", "--force", "db"],
        &["restart", "db"],
        &["restart", "--rolling", "db"],
        &["delete", "db"],
        &["signal", "HUP", "db"],
        &["down"],
    ] {
        let _ = s
            .run(args)
            .error(1)
            .stderr_has("db is protected")
            .stderr_has("`--force-protected` does it all the same");
    }
    assert_eq!(s.known("db"), known);
    let _ = s.run(&["restart", "--force-protected", "db"]).success();
    s.until_gone(known);
    let _ = s.run(&["down", "--force-protected"]).success();
}

#[test]
fn a_terminal_is_asked_for_the_name_of_what_is_protected() {
    let s = protected();
    let known = s.known("db");
    let ask = |typed: &str| {
        let mut command = s.command();
        command.args(["stop", "db"]);
        let screen = Screen::open(command, (80, 24));
        screen.until(|text| text.contains("db is protected. Type its name to stop it:"));
        screen.keys(typed);
        screen
    };
    let mut wrong = ask("bd\r");
    wrong.until(|text| text.contains("that is not it; nothing was changed"));
    assert_eq!(wrong.wait_exit().code(), Some(1));
    assert_eq!(s.known("db"), known);
    let mut right = ask("db\r");
    right.until(|text| text.contains("db stopped"));
    assert_eq!(right.wait_exit().code(), Some(0));
    s.until_gone(known);
}
