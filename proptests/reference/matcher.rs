//! The decision by brute force: expand, filter, sort, walk.

use crate::reference::constraints::{headers_match, method_listed, query_matches};
use crate::reference::forms::{Form, expand};
use crate::reference::model::{Outcome, Request, Strip, Table};
use crate::reference::order::{Class, Said, class, compare, compare_group};
use crate::reference::pattern::{join, split};
use crate::reference::version::{Version, preferred_by_accept, stated_by_header};

/// What becomes of this request.
pub(crate) fn decide(table: &Table, request: &Request) -> Outcome {
    decide_among(&expand(table), table, request)
}

/// The same with the table's forms expanded beforehand.
pub(crate) fn decide_among(forms: &[Form<'_>], table: &Table, request: &Request) -> Outcome {
    match settle(forms, table, request) {
        Ok((form, upstream_path)) => Outcome::Hit {
            route: form.route.name.clone(),
            version: form.version.as_ref().map(Version::to_string),
            upstream_path,
        },
        Err(Refusal::Other(code, versions)) => refused(code, vec![], &versions),
        Err(Refusal::Method(methods)) => {
            let mut allow = methods;
            let mut kept_out_by_slash = false;
            allow.retain(|method| {
                let other = Request {
                    method: method.clone(),
                    ..request.clone()
                };
                let settled = settle(forms, table, &other);
                kept_out_by_slash |=
                    matches!(settled, Err(Refusal::Other("path.encoded_slash", _)));
                settled.is_ok()
            });
            if allow.is_empty() && kept_out_by_slash {
                return refused("path.encoded_slash", allow, &[]);
            }
            allow.sort();
            allow.dedup();
            refused("method.not_allowed", allow, &[])
        }
    }
}

/// All forms whose host and path match, in the total order.
pub(crate) fn matching<'t>(table: &'t Table, request: &Request) -> Vec<Form<'t>> {
    let groups = groups(&expand(table), request);
    let mut said = Said {
        newest_first: table.versioning.newest_first(),
        ..Said::default()
    };
    let mut ordered = Vec::new();
    for group in groups {
        if group.iter().any(|form| form.version.is_some()) {
            said.stated = stated_by_header(&table.versioning, request).unwrap_or(None);
        }
        said.preferred = preferred(&group, table, request, &said);
        ordered.extend(in_order(group, &said));
    }
    ordered
}

/// Whether a form admits the method, among the other forms of its group.
///
/// `GET` admits HEAD, unless a form of the same version here lists HEAD.
pub(crate) fn admits(form: &Form<'_>, group: &[Form<'_>], method: &str) -> bool {
    let head_is_listed = || {
        let same = group.iter().filter(|other| other.version == form.version);
        same.into_iter()
            .any(|other| other.route.methods.iter().any(|listed| listed == "HEAD"))
    };
    method_listed(form.route, method)
        || (method == "HEAD" && method_listed(form.route, "GET") && !head_is_listed())
}

/// Why a request has no plan.
enum Refusal {
    Other(&'static str, Vec<Version>),
    /// With the methods that may be worth a try.
    Method(Vec<String>),
}

/// A form whose headers and query match, as the walk met it.
struct Seen<'t> {
    form: Form<'t>,
    serves: bool,
    fenced: bool,
}

/// The winner and the path it is sent, or why there is none.
fn settle<'t>(
    forms: &[Form<'t>],
    table: &Table,
    request: &Request,
) -> Result<(Form<'t>, String), Refusal> {
    if request.path == "*" && request.method != "OPTIONS" {
        return Err(Refusal::Other("path.invalid", vec![]));
    }
    let winner = walk(forms, table, request)?;
    if has_encoded_slash(&request.path) {
        let safe = winner.route.encoded_slashes && !hides_dots(&request.path);
        if !safe {
            return Err(Refusal::Other("path.encoded_slash", vec![]));
        }
    }
    let upstream_path = upstream_path(&winner, &request.path);
    Ok((winner, upstream_path))
}

/// Tries group after group, and in each form after form.
fn walk<'t>(forms: &[Form<'t>], table: &Table, request: &Request) -> Result<Form<'t>, Refusal> {
    let mut said = Said {
        newest_first: table.versioning.newest_first(),
        ..Said::default()
    };
    let mut headers_read = false;
    let mut fences: Vec<Form<'t>> = Vec::new();
    let mut seen: Vec<Seen<'t>> = Vec::new();
    for group in groups(forms, request) {
        if !headers_read && group.iter().any(|form| form.version.is_some()) {
            headers_read = true;
            said.stated = stated_by_header(&table.versioning, request)
                .map_err(|code| Refusal::Other(code, vec![]))?;
        }
        said.preferred = preferred(&group, table, request, &said);
        for form in in_order(group.clone(), &said) {
            if !headers_match(form.route, request) || !query_matches(form.route, request) {
                continue;
            }
            // Whether a fence stands before a form does not depend on the form's own methods.
            let fenced = fences.iter().any(|fence| is_fenced(&form, fence));
            let serves = class(&form, &said) != Class::Failing;
            seen.push(Seen {
                form: form.clone(),
                serves,
                fenced,
            });
            if !admits(&form, &group, &request.method) {
                continue;
            }
            if serves && !fenced {
                require(&form, &group, table, &said)?;
                return Ok(form);
            }
            if !serves && form.version_in_path && !fenced {
                return Err(Refusal::Other("version.conflict", vec![]));
            }
            if !serves && !form.version_in_path {
                fences.push(form);
            }
        }
    }
    Err(none_left(&seen))
}

/// The forms that match host and path, by group, the groups in order.
fn groups<'t>(forms: &[Form<'t>], request: &Request) -> Vec<Vec<Form<'t>>> {
    let mut here: Vec<Form<'t>> = forms
        .iter()
        .filter(|form| form.covers(request))
        .cloned()
        .collect();
    here.sort_by(compare_group);
    let mut groups: Vec<Vec<Form<'t>>> = Vec::new();
    for form in here {
        match groups.last_mut() {
            Some(group) if group.iter().all(|other| other.same_group(&form)) => group.push(form),
            _ => groups.push(vec![form]),
        }
    }
    groups
}

fn in_order<'t>(mut group: Vec<Form<'t>>, said: &Said) -> Vec<Form<'t>> {
    group.sort_by(|left, right| compare(left, right, said));
    group
}

/// The version that `Accept` prefers of those that this group could serve without a path version.
fn preferred(group: &[Form<'_>], table: &Table, request: &Request, said: &Said) -> Option<Version> {
    if said.stated.is_some() {
        return None;
    }
    let serves = |form: &Form<'_>, version: &Version| {
        !form.version_in_path
            && form.version.as_ref() == Some(version)
            && headers_match(form.route, request)
            && query_matches(form.route, request)
            && admits(form, group, &request.method)
    };
    let wishes = preferred_by_accept(&table.versioning, request);
    wishes
        .into_iter()
        .find(|wish| group.iter().any(|form| serves(form, wish)))
}

/// A fence lets pass only its own service and its own pattern.
fn is_fenced(form: &Form<'_>, fence: &Form<'_>) -> bool {
    form.route.service != fence.route.service && !form.same_pattern(fence)
}

/// `versioning.default: require` refuses a choice between versions that nobody stated.
fn require(
    winner: &Form<'_>,
    group: &[Form<'_>],
    table: &Table,
    said: &Said,
) -> Result<(), Refusal> {
    let of_class = |wanted: Class| group.iter().filter(move |form| class(form, said) == wanted);
    let is_choice = match class(winner, said) {
        Class::Declared => of_class(Class::Declared).any(|form| form.version != winner.version),
        Class::Derived => true,
        Class::Stated | Class::Preferred | Class::Neutral | Class::Failing => false,
    };
    if !table.versioning.requires() || !is_choice {
        return Ok(());
    }
    let choice = of_class(Class::Declared).chain(of_class(Class::Derived));
    Err(Refusal::Other(
        "version.required",
        choice.filter_map(|form| form.version.clone()).collect(),
    ))
}

/// Why nothing won, from the forms whose host, path, headers and query match.
fn none_left(seen: &[Seen<'_>]) -> Refusal {
    if seen.is_empty() {
        return Refusal::Other("route.not_found", vec![]);
    }
    let open = seen.iter().filter(|one| !one.fenced);
    if !open.clone().any(|one| one.serves) {
        let versions = open.filter_map(|one| one.form.version.clone());
        return Refusal::Other("version.unsupported", versions.collect());
    }
    let mut methods: Vec<String> = seen
        .iter()
        .flat_map(|one| one.form.route.methods.clone())
        .collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    if seen.iter().any(|one| one.form.route.methods.is_empty()) {
        methods.extend(STANDARD_METHODS.map(str::to_owned));
    }
    Refusal::Method(methods)
}

/// The path as the backend sees it: the winner's declared pattern, then without its prefix, then
/// below another.
fn upstream_path(winner: &Form<'_>, path: &str) -> String {
    if path == "*" {
        return path.to_owned();
    }
    let bound = winner
        .pattern
        .bind(path)
        .expect("the winner matches the path");
    let declared_path = winner.declared.fill(&bound);
    let taken = match &winner.route.strip_prefix {
        Strip::Off => 0,
        Strip::Literals => winner.declared.leading_literals(),
        Strip::Prefix(prefix) => split(prefix).len(),
    };
    let left: Vec<String> = split(&declared_path).into_iter().skip(taken).collect();
    let above = winner.route.rewrite_prefix.as_deref().unwrap_or("/");
    let above = split(above).into_iter().filter(|word| !word.is_empty());
    join(&above.chain(left).collect::<Vec<_>>())
}

fn has_encoded_slash(path: &str) -> bool {
    path.contains("%2F") || path.contains("%5C")
}

/// Whether splitting at the encoded slashes would give `.` or `..`.
fn hides_dots(path: &str) -> bool {
    path.replace("%2F", "/")
        .replace("%5C", "/")
        .split('/')
        .any(|part| part == "." || part == "..")
}

fn refused(code: &'static str, allow: Vec<String>, versions: &[Version]) -> Outcome {
    let status = match code {
        "route.not_found" => 404,
        "method.not_allowed" => 405,
        _ => 400,
    };
    let mut versions = versions.to_vec();
    versions.sort();
    versions.dedup();
    let versions = versions.iter().map(Version::to_string).collect();
    Outcome::Refused {
        code,
        status,
        allow,
        versions,
    }
}

/// The methods of RFC 9110 (section 9) and RFC 5789.
pub(crate) const STANDARD_METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];
