//! What in a log would command a terminal is counted; colours and other bytes are not.

use crate::http::{answer_of, get};
use crate::sandbox::Sandbox;

#[test]
fn sequences_that_command_a_terminal_are_counted_since_a_moment() {
    let s = Sandbox::new();
    let script = s.script(
        "villain",
        "printf 'plain\\n\\033[31mred\\033[0m\\n'\nprintf 'one \\033[2J two \\033]0;owned\\007\\n' >&2\n\
         printf '\\033[H\\nend\\n'\nexec sleep 1000",
    );
    s.start("villain", &script, &[]);
    s.until_file("home/logs/default/villain/0.out.log", |text| {
        text.ends_with("end\n")
    });
    let found = s.wait_for("three sequences", |s| {
        let found = get(s, "/api/logs/controls?select=villain");
        (found["sequences"] == 3).then_some(found)
    });
    assert_eq!(
        (&found["lines"], &found["complete"]),
        (&2.into(), &true.into())
    );
    let first = found["first_ms"].as_u64().unwrap();
    assert!(first > 1_600_000_000_000, "{found}");
    let later = first + 3_600_000;
    let none = get(
        &s,
        &format!("/api/logs/controls?select=villain&since_ms={later}"),
    );
    assert_eq!(
        (&none["sequences"], &none["first_ms"]),
        (&0.into(), &serde_json::Value::Null)
    );
    let (status, _) = answer_of(&s, "/api/logs/controls?sinse_ms=1");
    assert_eq!(status, 400);
}
