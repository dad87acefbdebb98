//! Small programs that behave and misbehave; each is a script in the sandbox and each function gives its path.
//! They are told what to do through FIFOs and tell what they did through files; none depends on timing.

use crate::sandbox::Sandbox;

/// Lives until it is ended.
pub(crate) fn stays(s: &Sandbox) -> String {
    s.script("stays", "exec sleep 1000")
}

/// Ignores TERM; its pid is in `NAME.ready` once it does.
pub(crate) fn ignores_term(s: &Sandbox, name: &str) -> String {
    let ready = s.path(&format!("{name}.ready"));
    let body = format!(
        "trap '' TERM\necho $$ >{}\nexec sleep 1000",
        ready.display()
    );
    s.script(name, &body)
}

/// Adds its pid to `NAME.runs` and exits with a code.
pub(crate) fn exits(s: &Sandbox, name: &str, code: u8) -> String {
    let runs = s.path(&format!("{name}.runs"));
    s.script(name, &format!("echo $$ >>{}\nexit {code}", runs.display()))
}

/// Adds its pid to `NAME.runs` and lives until it is ended.
pub(crate) fn counts(s: &Sandbox, name: &str) -> String {
    let runs = s.path(&format!("{name}.runs"));
    s.script(
        name,
        &format!("echo $$ >>{}\nexec sleep 1000", runs.display()),
    )
}

/// Adds its pid to `NAME.runs`, then exits with the code that is said to the FIFO `NAME.fifo`, which the test makes.
pub(crate) fn obeys(s: &Sandbox, name: &str) -> String {
    let (runs, fifo) = (
        s.path(&format!("{name}.runs")),
        s.path(&format!("{name}.fifo")),
    );
    let body = format!(
        "echo $$ >>{}\nread code <{}\nexit \"$code\"",
        runs.display(),
        fifo.display()
    );
    s.script(name, &body)
}

/// Has a grandchild with a session of its own, forked twice, whose pid is in `NAME.grandchild`; then lives.
pub(crate) fn escapes(s: &Sandbox, name: &str) -> String {
    let file = s.path(&format!("{name}.grandchild"));
    let grandchild = s.script(
        &format!("{name}.escaped"),
        &format!(
            "echo $$ >{0}.new\nmv {0}.new {0}\nexec sleep 1000",
            file.display()
        ),
    );
    s.script(name, &format!("(setsid {grandchild} &)\nexec sleep 1000"))
}

/// Writes its environment to `NAME.env`, one variable per line, then lives.
pub(crate) fn shows_environment(s: &Sandbox, name: &str) -> String {
    let file = s.path(&format!("{name}.env"));
    let body = format!(
        "env >{0}.new\nmv {0}.new {0}\nexec sleep 1000",
        file.display()
    );
    s.script(name, &body)
}

/// Writes its arguments to `NAME.args`, one per line, then lives.
pub(crate) fn shows_arguments(s: &Sandbox, name: &str) -> String {
    let file = s.path(&format!("{name}.args"));
    let body = format!(
        "printf '%s\\n' \"$@\" >{0}.new\nmv {0}.new {0}\nexec sleep 1000",
        file.display()
    );
    s.script(name, &body)
}

/// A shell that waits for a server, which on TERM writes `NAME.saving`, waits for a line of the FIFO `NAME.fifo`, and
/// writes `NAME.saved`; the server's pid is in `NAME.ready`.
pub(crate) fn saves(s: &Sandbox, name: &str) -> String {
    let at = |end: &str| s.path(&format!("{name}.{end}")).display().to_string();
    let server = s.script(
        &format!("{name}.server"),
        &format!(
            "save() {{ echo yes >{}; read line <{}; echo \"$line\" >{}; exit 0; }}\n\
             trap save TERM\necho $$ >{}\nwhile :; do sleep 1000 & wait $!; done",
            at("saving"),
            at("fifo"),
            at("saved"),
            at("ready")
        ),
    );
    s.script(name, &format!("{server} & wait"))
}

/// Prints `line 1`, `line 2` and so on until the file `NAME.enough` is there; then the last number goes to `NAME.last`.
pub(crate) fn chatters(s: &Sandbox, name: &str) -> String {
    let at = |end: &str| s.path(&format!("{name}.{end}")).display().to_string();
    let body = format!(
        "i=0\nwhile [ ! -e {} ]; do i=$((i+1)); echo \"line $i\"; done\necho $i >{}\nexec sleep 1000",
        at("enough"),
        at("last")
    );
    s.script(name, &body)
}

/// Brings up `chat`, which chatters into a log that is never rotated.
#[track_caller]
pub(crate) fn chat(s: &Sandbox) {
    let program = chatters(s, "chat");
    let text = format!(
        "[[processes]]\nname = \"chat\"\nscript = \"{program}\"\nlog_max_size = \"1GiB\"\n"
    );
    s.file("adasa.toml", text);
    let up = s.run(&["start", "--config", "adasa.toml"]);
    let _ = up.stderr("").success();
}

/// Lets one of [`chatters`] come to its end; every line of it is in its log once.
#[track_caller]
pub(crate) fn assert_chatter_is_whole(s: &Sandbox, name: &str) {
    s.file(&format!("{name}.enough"), "");
    let last = s.until_file(format!("{name}.last"), |text| text.ends_with('\n'));
    let end = format!("line {last}");
    let log = s.home().join(format!("logs/default/{name}/0.out.log"));
    let text = s.until_file(log, |text| text.ends_with(&end));
    for (count, line) in (1..).zip(text.lines()) {
        assert_eq!(line, format!("line {count}"), "lines lost or doubled");
    }
}

/// Has a grandchild that kept nothing: forked twice, a session, an environment and streams of its own. Its pid is in
/// `NAME.shed`; the main process lives.
pub(crate) fn sheds(s: &Sandbox, name: &str) -> String {
    let file = s.path(&format!("{name}.shed"));
    let grandchild = s.script(
        &format!("{name}.shedder"),
        &format!(
            "echo $$ >{0}.new\nmv {0}.new {0}\nexec sleep 1000",
            file.display()
        ),
    );
    s.script(
        name,
        &format!(
            "(env -i PATH=\"$PATH\" setsid {grandchild} </dev/null >/dev/null 2>&1 &)\nexec sleep 1000"
        ),
    )
}
