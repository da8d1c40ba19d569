//! Where reading resumes after text that is no value.

use super::*;

#[test]
fn a_failure_on_the_first_line_resumes_on_the_next() {
    check(
        b"nope\n{}",
        &[
            "!1:2<1 a word other than `true`, `false` and `null` stands here",
            "={}",
        ],
    );
    check(
        b"{} } {}\n{}",
        &["={}", "!1:4<1 a value should stand here", "={}"],
    );
    check(
        b"{\"a\":1,} {}\n[]",
        &["!1:8<1 a name in double quotes should stand here", "=[]"],
    );
    check(
        b"{\"a\":\"b\n{}",
        &[
            "!1:8<1 a control character stands in a text unescaped",
            "={}",
        ],
    );
    check(
        b"tru\ne",
        &[
            "!1:4<1 a word other than `true`, `false` and `null` stands here",
            "!2:1<2 a value should stand here",
        ],
    );
    check(b"-\n1", &["!1:2<1 no number is written so", "=1"]);
    check(
        b"1.\n1e\n01\n12x\n",
        &[
            "!1:3<1 no number is written so",
            "!2:3<2 no number is written so",
            "!3:2<3 no number is written so",
            "!4:3<4 a blank should stand here",
        ],
    );
    check(
        b"\0\n{}\x0b\n[]",
        &[
            "!1:1<1 a value should stand here",
            "={}",
            "!2:3<2 a value should stand here",
            "=[]",
        ],
    );
    check(
        b"{}\n\xef\xbb\xbe{}\n{}",
        &["={}", "!2:1<2 a value should stand here", "={}"],
    );
    check(
        b"\xef\xbbx\n{}",
        &["!1:1<1 a value should stand here", "={}"],
    );
    check(
        b"[\"a\xff\"]\n{}",
        &["!1:4<1 a byte that is no UTF-8 stands here", "={}"],
    );
    check(
        b"\"a\rb\"\n1",
        &[
            "!1:3<1 a control character stands in a text unescaped",
            "=1",
        ],
    );
}

#[test]
fn a_failure_on_a_later_line_resumes_at_a_brace() {
    check(
        b"{\"a\":1,\n{\"b\":2}\n",
        &[
            "!2:1<1 a name in double quotes should stand here",
            r#"={\"b\":2}"#,
        ],
    );
    check(
        b"{\n\"a\": nope,\n\"b\": 1\n}\n[]\n {}\n{\"c\":3}",
        &[
            "!2:7<1 a word other than `true`, `false` and `null` stands here",
            r#"={\"c\":3}"#,
        ],
    );
    check(
        b"\n\n[1\n2]\n{}",
        &["!4:1<3 `,` or `]` should stand here", "={}"],
    );
    check(
        b"[\n\"\xff\"\n]\n{}",
        &["!2:2<1 a byte that is no UTF-8 stands here", "={}"],
    );
    check(
        b"[\n{]\n{}x",
        &[
            "!2:2<1 a name in double quotes should stand here",
            "={}",
            "!3:3<3 a value should stand here",
        ],
    );
}

/// Found by hand: of files with marks that are joined, each lost its first message but the first.
#[test]
fn regression_a_byte_order_mark_may_be_before_any_value() {
    check(b"{}\n\xef\xbb\xbf{}\n{}", &["={}", "={}", "={}"]);
    check(
        b"\xef\xbb\xbf\xef\xbb\xbf{}\xef\xbb\xbf [] \n \xef\xbb\xbf\n1",
        &["={}", "=[]", "=1"],
    );
    check(
        b"x\n\xef\xbb\xbf1 x",
        &[
            "!1:1<1 a value should stand here",
            "=1",
            "!2:3<2 a value should stand here",
        ],
    );
    check(
        b"{\"a\":\n\xef\xbb\xbf{}\n\xef\xbb\xbf[]\n\xef\xbb\xbf{}",
        &["!2:1<1 a value should stand here", "={}", "=[]", "={}"],
    );
    check(b"{}\xef\xbb", &["={}", "!1:3<1 a value should stand here"]);
    check(b"\xef", &["!1:1<1 a value should stand here"]);
    check(
        b"{\n]\n\xef\xbb",
        &["!2:1<1 a name in double quotes should stand here"],
    );
}

/// Found while writing: `serde_json` reads the four bytes after `\u` before it judges them, so
/// that the failure seemed to be inside the next message, which was lost with it.
#[test]
fn regression_a_message_cut_off_in_an_escape_leaves_the_next_one_alone() {
    check(
        b"{\"a\":\"\\u1\n{\"b\":2}\n",
        &[
            "!1:10<1 an escape that is none stands here",
            r#"={\"b\":2}"#,
        ],
    );
    check(
        b"\"\\u\"\n1",
        &["!1:4<1 an escape that is none stands here", "=1"],
    );
    check(b"\"\\u12", &["!1:6<1 the input ends inside a value"]);
    check(b"\"\\u0\"", &["!1:5<1 an escape that is none stands here"]);
    check(
        b"[\n\"\\\\u\", \"\\ug",
        &["!2:11<1 an escape that is none stands here"],
    );
}
