//! Examples at the end of each `--help`.

pub(super) const TOLLGATE: &str = "\
Examples:
  tollgate                                   reply to the JSON messages on standard input
  tollgate --config gateway.yaml < requests  the same with your own configuration
  tollgate serve --config gateway.yaml       serve HTTP
  tollgate check gateway.yaml                report all errors in the file
  tollgate routes gateway.yaml               list the compiled routes
  tollgate explain GET /api/v2/users/1       where does this request go, and why?
  tollgate COMMAND --help                    examples of a command

Exit codes: 0 success, 1 errors in a file or a rejected request, 2 the command could not run.
Output has colours on terminals only, and never if NO_COLOR is set.";

pub(super) const STDIO: &str = "\
Examples:
  echo '{\"type\":\"api_request\",\"path\":\"/api/users/123\"}' | tollgate stdio
  echo '{\"type\":\"explain\",\"path\":\"/api/users/123\"}' | tollgate stdio --config gateway.yaml
  tollgate stdio --verbose < requests.jsonl > responses.jsonl
  tollgate stdio --forward --config gateway.yaml --concurrency 16 < requests.jsonl

Each JSON value in the input gets one line in the output, in the same order; with --forward, as soon
as its backend responds. The command exits at the end of its input, after the last response.";

pub(super) const SERVE: &str = "\
Examples:
  tollgate serve --demo
  tollgate serve --config gateway.yaml
  tollgate serve --config gateway.yaml --listen 127.0.0.1:0 --workers 1
  kill -HUP PID     reload the file: its routes take effect all at once, or not at all on errors
  kill -USR1 PID    reopen the access log, after it was moved
  kill PID          stop accepting connections, finish the requests in flight, exit with 0

A second process may listen on the same addresses before the first has stopped.
Exit codes: 0 stopped by a signal, 1 the file has errors, 2 cannot listen, read or write a file.";

pub(super) const CHECK: &str = "\
Examples:
  tollgate check gateway.yaml
  tollgate check conf/*.yaml && deploy
  generate-config | tollgate check -
  tollgate check --format json gateway.yaml | jq '.files[].faults[].code'
  tollgate check --allow-unreachable old.yaml

Each error is shown as FILE:LINE:COLUMN with the line itself and how to fix it.
Exit codes: 0 no errors, 1 errors, 2 a file cannot be read.";

pub(super) const ROUTES: &str = "\
Examples:
  tollgate routes gateway.yaml
  tollgate routes - < gateway.yaml
  tollgate routes --format json gateway.yaml | jq '.[] | select(.derived).pattern'

Of all lines that match a request, the first wins; the order in the file does not matter. A pattern
marked with + is derived: each version of a service is reached both by path and by header.";

pub(super) const EXPLAIN: &str = "\
Examples:
  tollgate explain GET /api/v2/users/1
  tollgate explain GET '/api/users/1?page=2' -H 'Accept-Version: v2'
  tollgate explain --config gateway.yaml POST https://api.example.com/orders -H 'X-Tenant: acme'
  tollgate explain GET /nowhere --format json | jq .error.code

Nothing is sent, and no load balancer advances.
Exit codes: 0 the request is admitted, 1 it is rejected, 2 the file cannot be read.";

pub(super) const SCHEMA: &str = "\
Examples:
  tollgate schema > tollgate.schema.json
  # yaml-language-server: $schema=tollgate.schema.json    as the first line of your file";

pub(super) const BENCH: &str = "\
Examples:
  tollgate bench
  tollgate bench --config gateway.yaml
  tollgate bench --config gateway.yaml --seconds 5 --format json | jq .hits.ns

The requests are generated from the routes: one for each route and pattern, and as many that no route
matches, in a fixed shuffled order, on one thread.";
