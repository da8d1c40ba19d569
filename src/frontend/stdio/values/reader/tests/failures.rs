//! Where reading resumes after text that is not a value.

use super::*;

#[test]
fn a_failure_on_the_first_line_resumes_on_the_next() {
    check(
        b"nope\n{}",
        &["!1:2<1 expected `true`, `false` or `null`", "={}"],
    );
    check(b"{} } {}\n{}", &["={}", "!1:4<1 expected a value", "={}"]);
    check(
        b"{\"a\":1,} {}\n[]",
        &["!1:8<1 expected a key in double quotes", "=[]"],
    );
    check(
        b"{\"a\":\"b\n{}",
        &["!1:8<1 control character in a string; escape it", "={}"],
    );
    check(
        b"tru\ne",
        &[
            "!1:4<1 expected `true`, `false` or `null`",
            "!2:1<2 expected a value",
        ],
    );
    check(b"-\n1", &["!1:2<1 invalid number", "=1"]);
    check(
        b"1.\n1e\n01\n12x\n",
        &[
            "!1:3<1 invalid number",
            "!2:3<2 invalid number",
            "!3:2<3 invalid number",
            "!4:3<4 expected white space",
        ],
    );
    check(
        b"\0\n{}\x0b\n[]",
        &[
            "!1:1<1 expected a value",
            "={}",
            "!2:3<2 expected a value",
            "=[]",
        ],
    );
    check(
        b"{}\n\xef\xbb\xbe{}\n{}",
        &["={}", "!2:1<2 expected a value", "={}"],
    );
    check(b"\xef\xbbx\n{}", &["!1:1<1 expected a value", "={}"]);
    check(b"[\"a\xff\"]\n{}", &["!1:4<1 invalid UTF-8", "={}"]);
    check(
        b"\"a\rb\"\n1",
        &["!1:3<1 control character in a string; escape it", "=1"],
    );
}

#[test]
fn a_failure_on_a_later_line_resumes_at_a_brace() {
    check(
        b"{\"a\":1,\n{\"b\":2}\n",
        &["!2:1<1 expected a key in double quotes", r#"={\"b\":2}"#],
    );
    check(
        b"{\n\"a\": nope,\n\"b\": 1\n}\n[]\n {}\n{\"c\":3}",
        &["!2:7<1 expected `true`, `false` or `null`", r#"={\"c\":3}"#],
    );
    check(b"\n\n[1\n2]\n{}", &["!4:1<3 expected `,` or `]`", "={}"]);
    check(b"[\n\"\xff\"\n]\n{}", &["!2:2<1 invalid UTF-8", "={}"]);
    check(
        b"[\n{]\n{}x",
        &[
            "!2:2<1 expected a key in double quotes",
            "={}",
            "!3:3<3 expected a value",
        ],
    );
}

/// Each concatenated file with a byte-order mark, except the first, lost its first message.
#[test]
fn regression_a_byte_order_mark_may_be_before_any_value() {
    check(b"{}\n\xef\xbb\xbf{}\n{}", &["={}", "={}", "={}"]);
    check(
        b"\xef\xbb\xbf\xef\xbb\xbf{}\xef\xbb\xbf [] \n \xef\xbb\xbf\n1",
        &["={}", "=[]", "=1"],
    );
    check(
        b"x\n\xef\xbb\xbf1 x",
        &["!1:1<1 expected a value", "=1", "!2:3<2 expected a value"],
    );
    check(
        b"{\"a\":\n\xef\xbb\xbf{}\n\xef\xbb\xbf[]\n\xef\xbb\xbf{}",
        &["!2:1<1 expected a value", "={}", "=[]", "={}"],
    );
    check(b"{}\xef\xbb", &["={}", "!1:3<1 expected a value"]);
    check(b"\xef", &["!1:1<1 expected a value"]);
    check(
        b"{\n]\n\xef\xbb",
        &["!2:1<1 expected a key in double quotes"],
    );
}

/// `serde_json` reads the four bytes after `\u` before it checks them, so the error was reported
/// inside the next message, which was lost with it.
#[test]
fn regression_a_message_cut_off_in_an_escape_leaves_the_next_one_alone() {
    check(
        b"{\"a\":\"\\u1\n{\"b\":2}\n",
        &["!1:10<1 invalid escape", r#"={\"b\":2}"#],
    );
    check(b"\"\\u\"\n1", &["!1:4<1 invalid escape", "=1"]);
    check(b"\"\\u12", &["!1:6<1 the input ends inside a value"]);
    check(b"\"\\u0\"", &["!1:5<1 invalid escape"]);
    check(b"[\n\"\\\\u\", \"\\ug", &["!2:11<1 invalid escape"]);
}
