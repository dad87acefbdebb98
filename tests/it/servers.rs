//! Real servers under one file: they serve on while the daemon dies, and go with the file that brought them up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::sandbox::Sandbox;

const PYTHON: &str = "\
import http.server, socketserver, os
class One(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('asked', flush=True)
        self.send_response(200); self.end_headers(); self.wfile.write(b'python')
server = socketserver.TCPServer(('127.0.0.1', 0), One)
open('python.new', 'w').write(str(server.server_address[1]) + '\\n')
os.rename('python.new', 'python.port')
server.serve_forever()
";

const NODE: &str = "\
const fs = require('fs');
const server = require('http').createServer((asked, answer) => { console.log('asked'); answer.end('node'); });
server.listen(0, '127.0.0.1', () => {
  fs.writeFileSync('node.new', server.address().port + '\\n');
  fs.renameSync('node.new', 'node.port');
});
";

/// What a server answers; none when nobody listens.
fn ask(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn pids(s: &Sandbox) -> Vec<Value> {
    let rows = s.rows();
    rows.iter().map(|row| row["pid"].clone()).collect()
}

#[test]
fn servers_serve_on_while_the_daemon_is_killed_and_go_with_their_file() {
    let s = Sandbox::new();
    s.file("python.py", PYTHON);
    s.file("node.js", NODE);
    s.file(
        "adasa.toml",
        "[[processes]]\nname = \"python\"\nscript = \"./python.py\"\n\
         [[processes]]\nname = \"node\"\nscript = \"./node.js\"\n",
    );
    let _ = s.run(&["up", "-d"]).stderr("").success();
    let ports = ["python", "node"].map(|name| {
        let port = s.until_file(format!("{name}.port"), |text| text.ends_with('\n'));
        (name, port.trim().parse::<u16>().unwrap())
    });
    let before = pids(&s);
    for _ in 0..3 {
        s.murder("pid");
        for (name, port) in ports {
            assert!(ask(port).unwrap().ends_with(name), "{name} on {port}");
        }
        assert_eq!(pids(&s), before);
    }
    for (name, _) in ports {
        let log = format!("home/logs/default/{name}/0.out.log");
        s.until_file(log, |text| text == "asked\n".repeat(3));
    }
    let _ = s.run(&["down"]).success();
    for (name, port) in ports {
        assert_eq!(ask(port), None, "{name} listens on {port} still");
    }
    assert!(s.left().is_empty(), "{:?}", s.left());
}
