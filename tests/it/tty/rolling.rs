//! A rolling restart by keyboard, on four servers that are asked all the time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;
use crate::tty::{COMMON, live_dashboard, quit, select};

/// A server on the port of its number, above the one in the file `base`.
fn server(s: &Sandbox) -> String {
    let program = "import os, socket\n\
        s = socket.socket()\n\
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
        s.bind(('127.0.0.1', int(open('base').read()) + int(os.environ['ADASA_INSTANCE'])))\n\
        s.listen(64)\n\
        while True:\n    c, _ = s.accept()\n    c.recv(1000)\n    c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nok')\n    c.close()\n";
    let file = s.file("server.py", program);
    s.script("server", &format!("exec python3 {}", file.display()))
}

/// Whether one answers a request.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut answer = String::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .is_ok()
        && stream.write_all(b"GET / HTTP/1.0\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.contains("200 OK")
}

/// Four ports in a row that nobody has, below those that the kernel gives to clients: one of these would meet itself.
fn free_ports() -> u16 {
    (0..200)
        .map(|n| 20_000 + u16::try_from((std::process::id() * 16 + n * 64) % 12_000).unwrap())
        .find(|base| (0..4).all(|n| std::net::TcpListener::bind(("127.0.0.1", base + n)).is_ok()))
        .expect("four free ports")
}

#[test]
fn check_20_r_y_on_four_leaves_three_serving_and_ends_with_four_done() {
    let s = Sandbox::new();
    let base = free_ports();
    s.file("base", base.to_string());
    let program = server(&s);
    let text = format!(
        "[[processes]]\nname = \"api\"\nscript = {program:?}\ninstances = 4\nmin_uptime = \"1s\"\n"
    );
    s.file("adasa.toml", text);
    let _ = s.run(&["up", "-d"]).success();
    let up = || (0..4).filter(|n| answers(base + n)).count();
    let deadline = Instant::now() + Duration::from_secs(30);
    while up() < 4 {
        assert!(Instant::now() < deadline, "the servers never served");
    }
    let names = ["api-0", "api-1", "api-2", "api-3"];
    let before: Vec<i32> = names.iter().map(|name| s.pid(name)).collect();
    let mut screen = live_dashboard(&s, COMMON, &names);
    let over = Arc::new(AtomicBool::new(false));
    let watch = {
        let over = Arc::clone(&over);
        std::thread::spawn(move || {
            let mut least = (4, 0);
            while !over.load(Ordering::SeqCst) {
                let serving = (0..4).filter(|n| answers(base + n)).count();
                least = (least.0.min(serving), least.1 + 1);
            }
            least
        })
    };
    select(&screen, "api-0");
    screen.keys("R");
    screen.until(|text| text.contains("rolling restart api"));
    // A plan takes no answer before it could be read.
    for _ in 0..20 {
        screen.keys("y");
        let begun = |text: &str| text.contains("replaced") || text.contains("now");
        if screen
            .seen_within(Duration::from_millis(500), begun)
            .is_ok()
        {
            break;
        }
    }
    screen.until(|text| text.contains("new against old") && text.contains("in service"));
    screen.until(|text| text.matches('✓').count() == 4);
    let after: Vec<i32> = names.iter().map(|name| s.pid(name)).collect();
    over.store(true, Ordering::SeqCst);
    let (least, looks) = watch.join().unwrap();
    assert!(
        least >= 3,
        "{least} of 4 served at the worst, in {looks} looks"
    );
    assert!(looks > 10, "{looks} looks");
    assert!(before.iter().zip(&after).all(|(old, new)| old != new));
    screen.keys("q");
    screen.until(|text| !text.contains("OLD PID"));
    quit(&mut screen);
}
