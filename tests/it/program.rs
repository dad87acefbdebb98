//! What `start` takes as a program: files, PATH, interpreters, arguments, names that exist.

use crate::child;
use crate::sandbox::{Output, Sandbox};

/// An error that starts nothing: exit code 1 or 2, silence on stdout.
#[track_caller]
fn refused(s: &Sandbox, output: Output) -> Output {
    let code = output.status.code().unwrap_or(-1);
    assert!(
        [1, 2].contains(&code),
        "an error was expected, but\n{output}"
    );
    let output = output.error(code);
    assert!(s.rows().iter().all(|row| row["name"] != "refused"));
    output
}

#[test]
fn a_word_without_a_slash_is_looked_up_in_path() {
    let s = Sandbox::new();
    s.script("sleep", "exit 9");
    let started = s
        .run(&["start", "sleep", "--", "1000"])
        .stderr("")
        .success();
    let _ = started.stdout_has("sleep");
    assert_eq!(s.row("sleep")["status"], "running");
    let command = s.run(&["status", "sleep", "--json"]).success().json();
    assert_eq!(command[0]["command"]["args"][0], "1000", "{command}");
}

#[test]
fn a_word_with_a_slash_is_a_file_of_the_callers_folder() {
    let s = Sandbox::new();
    let file = child::stays(&s);
    s.start("relative", "./stays", &[]);
    s.start("absolute", &file, &[]);
    let absent = s.run(&["start", "./sleep", "--name", "refused", "--", "1000"]);
    let _ = refused(&s, absent).stderr_has("/sleep");
    let in_another = s.run_in("/", &["start", "./stays", "--name", "refused"]);
    let _ = refused(&s, in_another).stderr_has("stays");
}

#[test]
fn a_program_that_is_nowhere_in_path_is_an_error_that_says_so() {
    let s = Sandbox::new();
    let output = s.run(&["start", "no-such-program", "--name", "refused"]);
    let _ = refused(&s, output)
        .stderr_has("no-such-program")
        .stderr_has("PATH");
}

#[test]
fn a_script_without_the_run_bit_gets_an_error_that_says_what_to_do() {
    let s = Sandbox::new();
    s.file("plain", "#!/bin/sh\nexec sleep 1000\n");
    let output = s.run(&["start", "./plain", "--name", "refused"]);
    let _ = refused(&s, output)
        .stderr_has("plain")
        .stderr_has("chmod +x");
}

#[test]
fn a_script_without_a_shebang_gets_an_error_that_says_what_to_do() {
    let s = Sandbox::new();
    s.file_mode("bare", "exec sleep 1000\n", 0o755);
    let output = s.run(&["start", "./bare", "--name", "refused"]);
    let _ = refused(&s, output).stderr_has("bare").stderr_has("#!");
}

#[test]
fn a_folder_is_not_a_program() {
    let s = Sandbox::new();
    s.file("folder/inside", "");
    let output = s.run(&["start", "./folder", "--name", "refused"]);
    let _ = refused(&s, output).stderr_has("folder");
}

#[test]
fn a_shebang_whose_interpreter_is_absent_is_no_success() {
    let s = Sandbox::new();
    s.file_mode("lost", "#!/nowhere/interpreter\n", 0o755);
    let output = s.run(&["start", "./lost", "--name", "lost", "--restart", "never"]);
    let output = output.code(1);
    assert!(output.stderr.starts_with("adasa: "), "{output}");
    assert!(s.find_row("lost").is_none_or(|row| row["pid"].is_null()));
}

#[test]
fn scripts_are_run_by_the_interpreter_of_their_extension() {
    let s = Sandbox::new();
    let root = s.root().display().to_string();
    let write = |name: &str| format!("{root}/{name}.out");
    s.file("a.sh", format!("echo \"sh $1\" >{}\n", write("sh")));
    s.file(
        "a.py",
        format!(
            "import sys\nopen('{}','w').write('py '+sys.argv[1]+'\\n')\n",
            write("py")
        ),
    );
    s.file(
        "a.js",
        format!(
            "require('fs').writeFileSync('{}','js '+process.argv[2]+'\\n')\n",
            write("js")
        ),
    );
    s.file("a.rb", "# for the ruby below\n");
    s.script("bin/ruby", &format!("echo \"rb $2\" >{}", write("rb")));
    let path = format!("{root}/bin:{}", std::env::var("PATH").unwrap());
    for kind in ["sh", "py", "js", "rb"] {
        let args = ["start", &format!("./a.{kind}"), "--name", kind, "--", "one"];
        let _ = s.run_with(&[("PATH", &path)], &args).stderr("").success();
    }
    for kind in ["sh", "py", "js", "rb"] {
        let text = s.until_file(format!("{kind}.out"), |text| text.ends_with('\n'));
        assert_eq!(text, format!("{kind} one\n"));
    }
}

#[test]
fn an_interpreter_that_is_absent_is_named() {
    let s = Sandbox::new();
    s.file("a.rb", "exit 0\n");
    s.file("empty/nothing", "");
    let _ = s.run(&["daemon", "start"]).success();
    let path = s.path("empty").display().to_string();
    let output = s.run_with(
        &[("PATH", &path)],
        &["start", "./a.rb", "--name", "refused"],
    );
    let _ = refused(&s, output).stderr_has("ruby");
}

#[test]
fn arguments_after_two_dashes_reach_the_program_as_they_are() {
    let s = Sandbox::new();
    let program = child::shows_arguments(&s, "echo");
    let given = ["--", "--name", "two words", "$HOME", "*", "--json", "ü"];
    s.start("echo", &program, &given);
    let text = s.until_file("echo.args", |text| !text.is_empty());
    assert_eq!(text, given[1..].join("\n") + "\n");
}

#[test]
fn behind_two_dashes_a_whole_command_line_is_one_process() {
    let s = Sandbox::new();
    let program = child::shows_arguments(&s, "echo");
    let start = ["start", "--name", "api", "--", &program, "a b", "--flag"];
    let _ = s.run(&start).success().stdout_has("api started");
    let text = s.until_file("echo.args", |text| !text.is_empty());
    assert_eq!(text, "a b\n--flag\n");
    // And so is a name of what is there.
    drop(s.run(&["stop", "api"]).success());
    let _ = s.run(&["start", "--", "api"]).success();
    let _ = s.run(&["start", "--"]).code(2).stderr_has("SCRIPT");
}

#[test]
fn a_command_line_without_its_two_dashes_is_refused_and_shown_with_them() {
    let s = Sandbox::new();
    s.file("server.js", "");
    let program = child::stays(&s);
    for (words, shown) in [
        (&["node", "server.js"][..], "adasa start node -- server.js"),
        (
            &["sleep", "1000", "--name", "nap"],
            "adasa start sleep -- 1000",
        ),
        (
            &["./stays", "a b", "c", "--", "d"],
            "adasa start ./stays -- 'a b' c d",
        ),
    ] {
        let output = s.run(&[&["start"], words].concat()).error(2);
        let _ = output.stderr_has(words[0]).stderr_has(shown);
    }
    for (words, shown) in [
        (["start", "sleep 1000"], "adasa start sleep -- 1000"),
        (["start", "./stays 3 4"], "adasa start ./stays -- 3 4"),
    ] {
        let _ = s.run(&words).error(1).stderr_has(shown);
    }
    let absent = s.run(&["start", "./absent", "x"]).error(1);
    let _ = absent.stderr_has("/absent is not there");
    assert!(s.rows().is_empty());
    // What is there is meant before a program of that name is.
    s.start("sleep", &program, &[]);
    let _ = s.run(&["start", "sleep", "nobody"]).error(4);
}

#[test]
fn a_program_is_looked_up_in_the_path_that_it_gets() {
    let s = Sandbox::new();
    s.script("bin/tool", "exec sleep 1000");
    let path = format!("PATH={}:/usr/bin:/bin", s.path("bin").display());
    let _ = s.run(&["start", "tool"]).error(1).stderr_has("PATH");
    let _ = s.run(&["start", "tool", "--env", &path]).success();
    assert_eq!(s.status("tool"), "running");
}

#[test]
fn starting_a_name_an_id_or_an_instance_that_exists_starts_it_again() {
    let s = Sandbox::new();
    s.start("pair", &child::stays(&s), &["--instances", "2"]);
    let ids: Vec<_> = s.rows().iter().map(|row| row["id"].clone()).collect();
    let id = s.row("pair-1")["id"].to_string();
    for (word, up) in [("pair", 2), (id.as_str(), 1), ("pair-0", 1)] {
        let _ = s.run(&["stop", "pair"]).stderr("").success();
        let _ = s.run(&["start", word]).stderr("").success();
        let rows = s.rows();
        let running = rows.iter().filter(|row| row["status"] == "running");
        assert_eq!(running.count(), up, "start {word}: {rows:?}");
        assert_eq!(
            rows.iter().map(|r| r["id"].clone()).collect::<Vec<_>>(),
            ids
        );
    }
}

#[test]
fn definition_flags_for_a_name_that_exists_are_a_usage_error() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let pid = s.pid("api");
    for flags in [
        &["--instances", "2"][..],
        &["--env", "A=1"],
        &["--cwd", "/"],
        &["--restart", "always"],
        &["--max-memory", "1GB"],
        &["--stop-timeout", "1s"],
    ] {
        let mut args = vec!["start", "api"];
        args.extend(flags);
        let output = s.run(&args).error(2).stderr_has("api");
        let _ = output.stderr_has(flags[0]).stderr_has("adasa edit");
    }
    assert_eq!(s.pid("api"), pid);
    assert_eq!(s.rows().len(), 1);
}

#[test]
fn a_taken_name_is_an_error_that_shows_what_has_it() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let before = s.row("api");
    let other = s.script("other", "exec sleep 1000");
    let output = s.run(&["start", &other, "--name", "api"]);
    let output = refused(&s, output).stderr_has("api").stderr_has("stays");
    let _ = output.stderr_has(&before["id"].to_string());
    assert_eq!(s.pid("api"), before["pid"].as_i64().unwrap() as i32);
    assert_eq!(s.rows().len(), 1);
}

#[test]
fn a_name_equal_to_anothers_instance_is_refused() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    s.start("web", &program, &["--instances", "2"]);
    let output = s.run(&["start", &program, "--name", "web-1"]);
    let _ = refused(&s, output).stderr_has("web-1");
    assert_eq!(s.rows().len(), 2);
}
