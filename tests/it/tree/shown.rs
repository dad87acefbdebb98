//! What a run is made of, and where it listens.

use std::net::TcpStream;

use serde_json::Value;

use crate::child;
use crate::http::get;
use crate::sandbox::Sandbox;

/// A shell with a server below it, which says where it listens in `port`: on two sockets of TCP and one of UDP.
fn server(s: &Sandbox) -> String {
    let port = s.path("port");
    let program = format!(
        "import os, socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen(9)\n\
         t = socket.socket()\nt.bind(('0.0.0.0', 0))\nt.listen(9)\n\
         u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nu.bind(('127.0.0.1', 0))\n\
         ports = [str(it.getsockname()[1]) for it in (s, t, u)]\n\
         open({0:?} + '.new', 'w').write(' '.join(ports) + '\\n')\n\
         os.rename({0:?} + '.new', {0:?})\nheld = []\nwhile True: held.append(s.accept())\n",
        port.to_str().unwrap()
    );
    let file = s.file("server.py", program);
    s.script(
        "server",
        &format!("python3 {} \u{1b}[2J &\nwait", file.display()),
    )
}

fn ports(s: &Sandbox) -> Vec<u16> {
    let text = s.until_file("port", |text| text.ends_with('\n'));
    text.split_whitespace()
        .map(|it| it.parse().unwrap())
        .collect()
}

fn one(s: &Sandbox) -> Value {
    let mut all = get(s, "/api/processes/api/tree");
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    all[0].take()
}

#[test]
fn the_processes_of_a_run_and_where_they_listen_are_told() {
    let s = Sandbox::new();
    s.start("api", &server(&s), &[]);
    let ports = ports(&s);
    let _clients = [0; 3].map(|_| TcpStream::connect(("127.0.0.1", ports[0])).unwrap());
    let it = one(&s);
    assert_eq!(
        (&it["name"], &it["complete"]),
        (&"api".into(), &true.into())
    );
    let processes = it["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 2, "{it}");
    let (main, server) = (&processes[0], &processes[1]);
    assert_eq!(main["pid"], s.row("api")["pid"]);
    assert_eq!((&main["depth"], &server["depth"]), (&0.into(), &1.into()));
    assert_eq!(server["parent"], main["pid"]);
    let command = server["command"].as_str().unwrap();
    assert!(
        command.contains("python3 ") && command.contains("server.py"),
        "{it}"
    );
    assert!(server["memory"].as_u64().unwrap() > 1_000_000, "{it}");
    let listening: Vec<(String, String, Value)> = it["listening"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            assert_eq!(it["pid"], server["pid"], "{it}");
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            (text("protocol"), text("address"), it["connections"].clone())
        })
        .collect();
    let at = |protocol: &str, ip: &str, port: u16, count: Value| {
        (protocol.to_owned(), format!("{ip}:{port}"), count)
    };
    let expected = [
        at("tcp", "0.0.0.0", ports[1], 0.into()),
        at("tcp", "127.0.0.1", ports[0], 3.into()),
        at("udp", "127.0.0.1", ports[2], Value::Null),
    ];
    assert_eq!(listening, expected);
    let _ = s
        .run(&["status", "api"])
        .success()
        .stderr("")
        .stdout_has(&format!("tree       {} ", main["pid"]))
        .stdout_has(&format!("\n               {} ", server["pid"]))
        .stdout_has(&format!(
            "listening  tcp 0.0.0.0:{}   0 connections\n",
            ports[1]
        ))
        .stdout_has(&format!("tcp 127.0.0.1:{}   3 connections\n", ports[0]))
        .stdout_has(&format!("udp 127.0.0.1:{}\n", ports[2]));
    let json = s.run(&["status", "api", "--json"]).success().json();
    assert_eq!(json[0]["processes"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(json[0]["listening"], it["listening"]);
}

#[test]
fn what_does_not_run_is_made_of_nothing() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let _ = s.run(&["stop", "api"]).success();
    let it = one(&s);
    assert_eq!(
        (&it["processes"], &it["listening"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    let _ = s
        .run(&["status", "api"])
        .success()
        .stdout_lacks("tree")
        .stdout_lacks("listening");
}

#[test]
fn a_grandchild_with_a_session_of_its_own_belongs_to_the_tree() {
    let s = Sandbox::new();
    s.start("esc", &child::escapes(&s, "esc"), &[]);
    let grandchild = s.until_pid("esc.grandchild");
    // It has lost its parent: whose it is is found out at a measurement.
    s.wait_for("the grandchild is told", |s| {
        let it = get(s, "/api/processes/esc/tree");
        let all = it[0]["processes"].as_array().unwrap();
        let own = all.iter().find(|it| it["pid"] == grandchild.pid)?;
        assert_eq!(own["depth"], 0, "{all:?}");
        Some(())
    });
}
