//! What `--help` shows at its end: each command by example.

pub(super) const TOLLGATE: &str = "\
Examples:
  tollgate                                   answer the JSON messages on standard input
  tollgate --config gateway.yaml < requests  the same with a table of your own
  tollgate serve --config gateway.yaml       serve HTTP
  tollgate check gateway.yaml                is the file right? all that is wrong with it
  tollgate routes gateway.yaml               what was it compiled to?
  tollgate explain GET /api/v2/users/1       where does this go, and why?
  tollgate COMMAND --help                    examples of one command

Exit codes: 0 yes, 1 no (faults in a file, a request refused), 2 it could not be done.
Colours are for terminals only, and not where NO_COLOR is set.";

pub(super) const STDIO: &str = "\
Examples:
  echo '{\"type\":\"api_request\",\"path\":\"/api/users/123\"}' | tollgate stdio
  echo '{\"type\":\"explain\",\"path\":\"/api/users/123\"}' | tollgate stdio --config gateway.yaml
  tollgate stdio --verbose < requests.jsonl > responses.jsonl
  tollgate stdio --forward --config gateway.yaml --concurrency 16 < requests.jsonl

One JSON value in, one line out, in the same order; with --forward each request is answered as soon
as its backend has. It ends with its input, and when all is answered.";

pub(super) const SERVE: &str = "\
Examples:
  tollgate serve --demo
  tollgate serve --config gateway.yaml
  tollgate serve --config gateway.yaml --listen 127.0.0.1:0 --workers 1
  kill -HUP PID     read the file again: the new table takes effect whole, or a faulty one not at all
  kill -USR1 PID    open the access log anew, after it was moved away
  kill PID          accept no more, finish what is in flight, exit with 0

A second process may listen on the same addresses before the first has stopped.
Exit codes: 0 it was told to stop, 1 the file has faults, 2 it cannot listen, read or log.";

pub(super) const CHECK: &str = "\
Examples:
  tollgate check gateway.yaml
  tollgate check conf/*.yaml && deploy
  generate-config | tollgate check -
  tollgate check --format json gateway.yaml | jq '.files[].faults[].code'
  tollgate check --allow-unreachable old.yaml

Each fault stands as FILE:LINE:COLUMN with the line itself and what would be right.
Exit codes: 0 no errors, 1 errors, 2 a file cannot be read.";

pub(super) const ROUTES: &str = "\
Examples:
  tollgate routes gateway.yaml
  tollgate routes - < gateway.yaml
  tollgate routes --format json gateway.yaml | jq '.[] | select(.derived).pattern'

Of all lines that match a request, the first one wins: the order of the file does not matter.
A pattern marked with + is derived: within a family of versions each is reached by path and header.";

pub(super) const EXPLAIN: &str = "\
Examples:
  tollgate explain GET /api/v2/users/1
  tollgate explain GET '/api/users/1?page=2' -H 'Accept-Version: v2'
  tollgate explain --config gateway.yaml POST https://api.example.com/orders -H 'X-Tenant: acme'
  tollgate explain GET /nowhere --format json | jq .error.code

Nothing is sent, and no round robin moves.
Exit codes: 0 the request is admitted, 1 it is refused, 2 the file cannot be read.";

pub(super) const SCHEMA: &str = "\
Examples:
  tollgate schema > tollgate.schema.json
  # yaml-language-server: $schema=tollgate.schema.json    as the first line of your file";

pub(super) const BENCH: &str = "\
Examples:
  tollgate bench
  tollgate bench --config gateway.yaml
  tollgate bench --config gateway.yaml --seconds 5 --format json | jq .hits.ns

The requests are made from the table: one for each route and pattern, and as many that nothing
serves, in a fixed shuffled order, on one thread.";
